#!/bin/sh
# Creates the hub's users on Apache Kafka, with their passwords and exactly the rights that they need. It may run again.
#
#   kafka-users.sh HOST:PORT PROPERTIES API_PASSWORD_FILE AGENTS_PASSWORD_FILE
#
# HOST:PORT is a listener where the client that PROPERTIES describes is a super user. The folder with kafka-configs.sh and
# kafka-acls.sh is in PATH.
set -eu
servers=$1
properties=$2
umask 077

user() {
    file=$(mktemp)
    printf 'SCRAM-SHA-512=iterations=8192,password=%s\n' "$(cat "$2")" >"$file"
    kafka-configs.sh --bootstrap-server "$servers" --command-config "$properties" \
        --alter --entity-type users --entity-name "$1" --add-config-file "$file"
    rm "$file"
}

allow() {
    user=$1
    shift
    kafka-acls.sh --bootstrap-server "$servers" --command-config "$properties" --force \
        --add --allow-principal "User:$user" --resource-pattern-type prefixed "$@" >/dev/null
}

user clinic-api "$3"
user clinic-agents "$4"

# The api sends commands, hears of changes and ended sessions, and has two topics of its own, which it deletes at its end.
allow clinic-api --operation Create --operation Describe --topic clinic.
allow clinic-api --operation Write --topic clinic.commands --topic clinic.sessions
allow clinic-api --operation Read --topic clinic.events --topic clinic.sessions --topic clinic.replies.
allow clinic-api --operation Delete --topic clinic.replies. --topic clinic.presence.

# The agents read commands as one group and answer them. The topics clinic-agents-… are those of Faust's table.
allow clinic-agents --operation Create --operation Describe --topic clinic. --topic clinic-agents-
allow clinic-agents --operation Read --topic clinic.commands --topic clinic-agents- --group clinic-agents
allow clinic-agents --operation Write --topic clinic.commands --topic clinic.events --topic clinic.rejected \
    --topic clinic.replies. --topic clinic-agents-
allow clinic-agents --operation Delete --topic clinic.presence.

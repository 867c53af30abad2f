#!/bin/sh
# Makes the secrets that docker-compose.yml mounts, each in a file of .secrets, with random values. Those that are there
# stay. It needs openssl. Only who may enter the folder can read them on this machine.
set -eu
folder=${1:-.secrets}
umask 077
mkdir -p "$folder"

secret() {
    if [ ! -s "$folder/$1" ]; then
        printf '%s\n' "$2" >"$folder/$1"
        chmod 444 "$folder/$1" # the users of the containers read it
    fi
}

random() {
    openssl rand -hex 32
}

secret jwt_secret_key "$(random)"
secret kafka_api_password "$(random)"
secret kafka_agents_password "$(random)"
secret mongo_root_password "$(random)"
secret mongo_clinic_password "$(random)"
options="replicaSet=rs0&w=majority&tls=true&tlsCAFile=/certificates/ca.pem"
secret mongodb_url "mongodb://clinic:$(cat "$folder/mongo_clinic_password")@mongo:27017/clinic?$options"

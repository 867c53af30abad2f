#!/bin/sh
# Makes a certificate authority of the hub's own and the certificates of its engines, and renews those that end within
# 30 days. It needs openssl.
#
#   certificates.sh FOLDER NAME:HOST[,HOST…] …
#
# FOLDER/NAME has NAME.pem (key and certificate, for these hosts) and ca.pem; FOLDER/ca has ca.pem alone, for clients.
# The key of the authority is FOLDER/authority/ca.key: nothing but this script needs it.
set -eu
folder=$1
shift
umask 077
mkdir -p "$folder/authority" "$folder/ca"
chmod 755 "$folder/ca"
key=$folder/authority/ca.key
if [ ! -s "$folder/ca/ca.pem" ]; then
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$key"
    openssl req -x509 -new -key "$key" -days 3650 -subj "/O=clinic-hub/CN=clinic-hub authority" -out "$folder/ca/ca.new" \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign"
    chmod 444 "$folder/ca/ca.new"
    mv "$folder/ca/ca.new" "$folder/ca/ca.pem"
fi
for each in "$@"; do
    name=${each%%:*}
    hosts=${each#*:}
    mkdir -p "$folder/$name"
    chmod 755 "$folder/$name"
    cp -f "$folder/ca/ca.pem" "$folder/$name/ca.pem"
    chmod 444 "$folder/$name/ca.pem"
    if openssl x509 -checkend 2592000 -noout -in "$folder/$name/$name.pem" >/dev/null 2>&1; then
        continue
    fi
    alternatives=
    for host in $(echo "$hosts" | tr , ' '); do
        case $host in
            *[!0-9.]*) kind=DNS ;;
            *) kind=IP ;;
        esac
        alternatives="$alternatives,$kind:$host"
    done
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$folder/authority/$name.key"
    openssl req -new -key "$folder/authority/$name.key" -subj "/O=clinic-hub/CN=$name" -out "$folder/authority/$name.csr"
    printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\nkeyUsage=critical,digitalSignature\n' \
        "${alternatives#,}" >"$folder/authority/$name.ext"
    openssl x509 -req -in "$folder/authority/$name.csr" -CA "$folder/ca/ca.pem" -CAkey "$key" -CAcreateserial -CAserial "$folder/authority/ca.srl" \
        -days 397 -extfile "$folder/authority/$name.ext" -out "$folder/authority/$name.crt" 2>/dev/null
    cat "$folder/authority/$name.key" "$folder/authority/$name.crt" >"$folder/$name/$name.new"
    # Each service has its own folder and its own user, so that only the service itself can read its key.
    chmod 444 "$folder/$name/$name.new"
    mv -f "$folder/$name/$name.new" "$folder/$name/$name.pem"
    rm "$folder/authority/$name.key" "$folder/authority/$name.csr" "$folder/authority/$name.ext" "$folder/authority/$name.crt"
done

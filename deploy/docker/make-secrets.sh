#!/bin/sh
# Makes the secrets that the services of one compose project share. What is there already stays.
set -eu
umask 077
cd /run/sentinel/secrets

random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }
# Written beside and renamed, so that an interrupted start leaves no half of a secret.
keep() { [ -s "$1" ] || { "$2" "$1" > "$1.new" && mv "$1.new" "$1"; }; }
key_table() { printf 'default=%s\n' "$(cat hmac.key)"; }

for name in hmac.key operator.token service.token; do keep "$name" random; done
keep hmac.keys key_table
[ -s ledger.key ] || sentinel-audit-ledger keygen --insecure

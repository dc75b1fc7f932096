#!/bin/sh
# Makes the secrets of one compose project, gives each service a volume with those that it needs, and sleeps. What is there already stays.
set -eu
rm -f /tmp/made

random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }
# Written beside and renamed, so that an interrupted start leaves no half of a secret.
put() { "$2" "$1" > "$1.new" && mv "$1.new" "$1"; }
keep() { [ -s "$1" ] || put "$1" "$2"; }
same() { cat "/run/sentinel/secrets/$1"; }

# Of PostgreSQL and Redis, which run as other users and are given the volume of this folder alone.
umask 022
stores=/var/lib/sentinel
cd "$stores"
redis_conf() { printf 'requirepass %s\nsave ""\nappendonly no\n' "$(cat redis.password)"; }
for name in postgres.password redis.password; do keep "$name" random; done
put redis.conf redis_conf

# What an operator reads here, and what services share.
umask 077
cd /run/sentinel/secrets
for name in hmac.key operator.token service.token; do keep "$name" random; done

cd /run/sentinel/agent
put hmac.key same

cd /run/sentinel/engine
key_table() { printf 'default=%s\n' "$(same hmac.key)"; }
postgres_url() { printf 'postgres://sentinel:%s@postgres:5432/sentinel\n' "$(cat "$stores/postgres.password")"; }
redis_url() { printf 'redis://:%s@redis:6379\n' "$(cat "$stores/redis.password")"; }
for name in operator.token service.token; do put "$name" same; done
put hmac.keys key_table
put postgres.url postgres_url
put redis.url redis_url

# The key that signs the log is nowhere else.
cd /run/sentinel/ledger
for name in operator.token service.token; do put "$name" same; done
[ -s ledger.key ] || sentinel-audit-ledger keygen --insecure --override "signing_key_path=$PWD/ledger.key"

: > /tmp/made
exec sleep infinity

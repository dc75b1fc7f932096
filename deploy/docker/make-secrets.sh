#!/bin/sh
# Makes the secrets that the services of one compose project share, and sleeps. What is there already stays.
set -eu
rm -f /tmp/made

random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }
# Written beside and renamed, so that an interrupted start leaves no half of a secret.
keep() { [ -s "$1" ] || { "$2" "$1" > "$1.new" && mv "$1.new" "$1"; }; }

# Of PostgreSQL and Redis, which run as other users and are given the volume of this folder alone.
umask 022
stores=/var/lib/sentinel
cd "$stores"
redis_conf() { printf 'requirepass %s\nsave ""\nappendonly no\n' "$(cat redis.password)"; }
for name in postgres.password redis.password; do keep "$name" random; done
keep redis.conf redis_conf

umask 077
cd /run/sentinel/secrets
key_table() { printf 'default=%s\n' "$(cat hmac.key)"; }
postgres_url() { printf 'postgres://sentinel:%s@postgres:5432/sentinel\n' "$(cat "$stores/postgres.password")"; }
redis_url() { printf 'redis://:%s@redis:6379\n' "$(cat "$stores/redis.password")"; }
for name in hmac.key operator.token service.token; do keep "$name" random; done
keep hmac.keys key_table
keep postgres.url postgres_url
keep redis.url redis_url
[ -s ledger.key ] || sentinel-audit-ledger keygen --insecure

: > /tmp/made
exec sleep infinity

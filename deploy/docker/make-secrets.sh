#!/bin/sh
# Makes the secrets of one compose project, gives each service a volume with those that it needs, and sleeps. What is there already stays.
set -eu
rm -f /tmp/made

random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n'; }
# Written beside and renamed, so that an interrupted start leaves no half of a secret.
put() { "$2" "$1" > "$1.new" && mv "$1.new" "$1"; }
keep() { [ -s "$1" ] || put "$1" "$2"; }

# What is told to several, and what an operator reads here. No other container has these two folders.
umask 077
stores=/var/lib/sentinel
secrets=/run/sentinel/secrets
for name in postgres.password redis.password; do keep "$stores/$name" random; done
for name in hmac.key operator.token service.token; do keep "$secrets/$name" random; done
of_store() { cat "$stores/${1##*/}"; }
shared() { cat "$secrets/${1##*/}"; }

# They run as users of their own.
umask 022
put /run/sentinel/postgres/postgres.password of_store
put /run/sentinel/redis/redis.password of_store
redis_conf() { printf 'requirepass %s\nsave ""\nappendonly no\n' "$(of_store redis.password)"; }
put /run/sentinel/redis/redis.conf redis_conf

umask 077
put /run/sentinel/agent/hmac.key shared

cd /run/sentinel/engine
key_table() { printf 'default=%s\n' "$(shared hmac.key)"; }
postgres_url() { printf 'postgres://sentinel:%s@postgres:5432/sentinel\n' "$(of_store postgres.password)"; }
redis_url() { printf 'redis://:%s@redis:6379\n' "$(of_store redis.password)"; }
for name in operator.token service.token; do put "$name" shared; done
put hmac.keys key_table
put postgres.url postgres_url
put redis.url redis_url

cd /run/sentinel/ledger
for name in operator.token service.token; do put "$name" shared; done
# A project that was begun when all services had one volume has its key there: the log in the cluster is of that key.
if [ -s "$secrets/ledger.key" ] && { [ ! -s ledger.key ] || [ -e ledger.key.unused ]; }; then
  rm -f ledger.key.unused
  [ ! -e "$secrets/ledger.key.unused" ] || put ledger.key.unused shared
  put ledger.key shared
fi
[ -s ledger.key ] || sentinel-audit-ledger keygen --insecure --override "signing_key_path=$PWD/ledger.key"
# The key that signs the log is nowhere else, and what is made for one service is its own.
(cd "$secrets" && rm -f ledger.key ledger.key.unused hmac.keys postgres.url redis.url)

: > /tmp/made
exec sleep infinity

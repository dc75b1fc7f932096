#!/bin/bash
# What the real image's entrypoint does for POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB (each also as …_FILE) and first-start scripts.
set -euo pipefail
[ "${1:0:1}" != - ] || set -- postgres "$@"
[ "${1:-}" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
  install -d -o postgres -g postgres -m 700 "$PGDATA"
  exec setpriv --reuid postgres --regid postgres --init-groups --inh-caps=-all -- "$0" "$@"
fi

# value NAME DEFAULT: of the variable, or of the file that NAME_FILE names
value() {
  local file="${1}_FILE"
  if [ -n "${!file:-}" ]; then cat "${!file}"; else printf %s "${!1:-$2}"; fi
}

set -- "$1" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql "${@:2}"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  user=$(value POSTGRES_USER postgres)
  database=$(value POSTGRES_DB "$user")
  password=$(value POSTGRES_PASSWORD '')
  [ -n "$password" ] || { echo 'Error: Database is uninitialized and superuser password is not specified.' >&2; exit 1; }
  initdb --username="$user" --pwfile=<(printf '%s\n' "$password") --encoding=UTF8 --locale=C.UTF-8
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -w -o "-c listen_addresses='' -c unix_socket_directories=/var/run/postgresql" start
  export PGPASSWORD=$password PGHOST=/var/run/postgresql PGUSER=$user
  [ "$database" = postgres ] || psql -v ON_ERROR_STOP=1 -d postgres -v db="$database" <<< 'create database :"db"'
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
      *.sh) bash "$script" ;;
      *.sql) psql -v ON_ERROR_STOP=1 -d "$database" -f "$script" ;;
    esac
  done
  pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD PGHOST PGUSER
fi
exec "$@"

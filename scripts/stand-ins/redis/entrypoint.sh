#!/bin/sh
# As the real image: flags or a configuration file alone are those of redis-server, which runs as redis.
set -e
case ${1:-} in -* | *.conf) set -- redis-server "$@" ;; esac
if [ "$1" = redis-server ]; then
  shift
  # The real image's server is compiled without protected mode.
  set -- redis-server "$@" --protected-mode no
  if [ "$(id -u)" = 0 ]; then
    find . \! -user redis -exec chown redis '{}' +
    exec setpriv --reuid redis --regid redis --clear-groups --inh-caps=-all -- "$@"
  fi
fi
exec "$@"

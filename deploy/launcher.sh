#!/bin/sh
# Installed under the name of each command, for example /usr/local/bin/sentinel-audit-ledger: runs that service from
# /opt/sentinel, under SENTINEL's own Node where there is one.
name=${0##*/}
node=/opt/sentinel/node/bin/node
[ -x "$node" ] || node=node
exec "$node" --enable-source-maps "/opt/sentinel/${name#sentinel-}/bin/$name.mjs" "$@"

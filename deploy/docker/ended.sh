#!/bin/sh
# ended.sh COMMAND…: runs a service of a test run, which nothing may end but the tests: what ends by itself, however well, ends it as a failure.
"$@" &
service=$!
trap 'kill -TERM "$service"' TERM INT
wait "$service"
# Once more where a signal interrupted it.
wait "$service"
echo "ended in a test run" >&2
exit 70

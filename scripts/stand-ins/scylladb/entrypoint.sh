#!/bin/sh
# Cassandra in ScyllaDB's place. ScyllaDB's flags mean nothing to it; the address that it tells its clients is the container's own.
set -e
if [ "$(id -u)" = 0 ]; then
  chown scylla:scylla /var/lib/scylla
  exec setpriv --reuid scylla --regid scylla --clear-groups --inh-caps=-all -- "$0"
fi
address=$(hostname -i | cut -d' ' -f1)
sed "s/CONTAINER_ADDRESS/$address/" /opt/cassandra/cassandra.json > /var/lib/scylla/cassandra.yaml
cd /var/lib/scylla
exec java @/opt/cassandra/jvm.args -cp '/opt/cassandra/jars/*' org.apache.cassandra.service.CassandraDaemon

/**
 * A process with a client of a cluster that is refused, and one whose links are cut, again and again, and which is closed while it is
 * looking for a node. It says `closed` and has to end by itself: what is left of a client would keep it.
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, tcpProxy } from '@sentinel/test-kit';
import { closeCql } from '../cql/client.js';
import { connectCql } from '../cql/connect.js';
import { testCluster } from './cluster-settings.js';

const OUTAGES = 3;
const STATEMENTS = 20;
const DELAY_MS = 10;
/** Longer than the first pause between two searches. */
const OUTAGE_MS = 800;
/** Until a search is under way that gets no answer. */
const SEARCH_MS = 1500;
/** What is still under way then is not meant to be. */
const SETTLED_MS = 1000;

const config = testCluster(process.argv[2] ?? '', { keyspace: 'system', request_timeout_ms: 5_000 });
const proxy = await tcpProxy(config.contact_points[0] ?? '');
const other = await tcpProxy(config.contact_points[0] ?? '');
const misled = { ...config, contact_points: [proxy.address, other.address], local_datacenter: 'elsewhere' };
await assert.rejects(connectCql(misled, 'test'), /elsewhere/);
assert.equal(proxy.connections + other.connections, 0);
await other.close();
const client = await connectCql({ ...config, contact_points: [proxy.address] }, 'test');
// The driver prepares them again, one after the other, on a host that comes back: it may be replaced meanwhile.
for (let n = 1; n <= STATEMENTS; n += 1) await client.execute(`SELECT key FROM local LIMIT ${n}`);
let found = 0;
client.on('log', (_level: string, _of: string, message: string) => {
  if (message.endsWith('and up to date')) found += 1;
});

for (let outage = 0; outage < OUTAGES; outage += 1) {
  proxy.refuse();
  await delay(OUTAGE_MS);
  proxy.pass();
  proxy.slow({ delayMs: DELAY_MS });
  await eventually(() => (found > outage ? found : null), { what: 'a node is found' });
  await delay(SETTLED_MS);
}
// On a busy machine the last one may take longer to be closed.
await eventually(() => proxy.connections === 1, { what: 'one connection is open', timeoutMs: 20_000 });
console.log(`${found} searches found a node in ${OUTAGES} outages, ${proxy.connections} connections are open.`);
proxy.stall('down');
proxy.cut();
await delay(SEARCH_MS);
const closing = closeCql(client);
proxy.pass();
await closing;
console.log('closed');
await delay(SETTLED_MS);
await proxy.close();

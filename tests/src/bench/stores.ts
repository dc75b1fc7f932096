import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bench } from '@sentinel/bench-kit';
import { TestAgent, testCluster } from '@sentinel/correlation-engine/testing';
import { CassandraServer, PostgresServer, RedisServer } from '@sentinel/test-kit';
import { ReplicaSet } from '../harness/replica-set.js';

const AGENTS = 16;
/** Of one batch, as the agent's default. */
const RUNS = 64;
/** Records of an agent on their way at once. */
const WINDOW = 32;
const RECORDS = 2_000;
const QUICK_RECORDS = 200;
const WARM_UP = 50;

/**
 * What one engine acknowledges in both parts, committed and archived, with the servers of a large installation and with the
 * embedded default, everything on this machine's cores: engine, stores and the agents of the benchmark.
 */
export default bench({
  name: 'stores',
  run: async ({ quick, folder, log }) => {
    chmodSync(folder, 0o711);
    const records = quick ? QUICK_RECORDS : RECORDS;
    log(`${AGENTS} agents, ${RUNS} runs a batch, ${WINDOW} batches of each on their way, ${records} each`);
    const embedded = await measure(join(folder, 'embedded'), records, {
      database: { postgres_url: `embedded://${join(folder, 'embedded', 'pg')}` },
      history: { url: `file://${join(folder, 'embedded', 'history')}` },
    });
    log(`embedded: ${JSON.stringify(embedded)}`);
    const home = (name: string): string => {
      mkdirSync(join(folder, name));
      return join(folder, name);
    };
    await using postgres = await PostgresServer.start(home('postgres'));
    await using redis = await RedisServer.start({}, home('redis'));
    await using cassandra = await CassandraServer.start(home('cassandra'));
    // The twin of a secret is not given together with it.
    const { password_path: _, ...scylla } = testCluster(cassandra.url);
    const servers = await measure(join(folder, 'servers'), records, {
      database: { postgres_url: postgres.url, sslmode: 'disable' },
      redis: { url: redis.url },
      replica: { listen_address: '127.0.0.1:0' },
      scylla,
    });
    log(`servers: ${JSON.stringify(servers)}`);
    return {
      figures: {
        embedded_batches_per_second: embedded.perSecond,
        embedded_p99_ms: embedded.p99Ms,
        servers_batches_per_second: servers.perSecond,
        servers_p99_ms: servers.p99Ms,
        servers_share: servers.perSecond / embedded.perSecond,
      },
    };
  },
});

interface Measured {
  readonly perSecond: number;
  /** From the sending of a batch to the acknowledgement of both parts, under full load. */
  readonly p99Ms: number;
}

async function measure(folder: string, records: number, settings: Record<string, unknown>): Promise<Measured> {
  mkdirSync(folder);
  chmodSync(folder, 0o711);
  await using engine = await ReplicaSet.start({ folder, count: 1, settings: () => settings });
  await engine.serves(0);
  const agents = Array.from({ length: AGENTS }, (_, index) => new TestAgent(engine.at(0).grpc, { node: `n-${index}` }));
  // The history may be on its way yet: this waits for it.
  for (const agent of agents) record(agent, WARM_UP);
  await Promise.all(agents.map((agent) => agent.deliver({ records: 1n, restMs: 0 }, () => engine.at(0).grpc)));
  for (const agent of agents) record(agent, records);
  const started = performance.now();
  const latencies = (await Promise.all(agents.map((agent) => deliver(agent, WARM_UP + records)))).flat();
  const seconds = (performance.now() - started) / 1000;
  for (const agent of agents) agent.close();
  await engine.stop();
  const sorted = latencies.toSorted((a, b) => a - b);
  return {
    perSecond: latencies.length / seconds,
    p99Ms: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN,
  };
}

function record(agent: TestAgent, count: number): void {
  for (let i = 0; i < count; i += 1) {
    const first = agent.payloads.length * RUNS;
    agent.batch(Array.from({ length: RUNS }, (_, row) => ({ index: first + row, family: 1 + (row % 2) })));
  }
}

/** Sends up to record `last`, with a window. @returns milliseconds from sending to both acknowledgements, of each record */
async function deliver(agent: TestAgent, last: number): Promise<number[]> {
  const sentAt = new Map<number, number>();
  const latencies: number[] = [];
  let seen = Number(agent.ack.archivedThrough);
  let next = seen + 1;
  const take = (): void => {
    const now = performance.now();
    for (; seen < Number(agent.ack.archivedThrough); seen += 1) latencies.push(now - (sentAt.get(seen + 1) ?? now));
  };
  while (seen < last) {
    for (; next <= last && next - seen <= WINDOW; next += 1) {
      agent.sendAll(BigInt(next));
      sentAt.set(next, performance.now());
    }
    await agent.until(() => agent.error !== null || Number(agent.ack.archivedThrough) > seen);
    if (agent.error !== null) throw agent.error;
    take();
  }
  return latencies;
}

import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { bench } from '@sentinel/bench-kit';
import { systemClock } from '@sentinel/service-kit/clock';
import { silentLogger } from '@sentinel/service-kit/logging';
import type { Committer } from '../commit/committer.js';
import { columns } from '../evidence/testing/batches.js';
import { CONFIG } from '../evidence/testing/config.js';
import { Database } from '../store/connect.js';
import { StateStore } from '../store/state-store.js';
import { benchCommitter } from './bench-committer.js';
import { nodeHello } from './node-hello.js';

const GPUS = 8;
const SPOOL = 'ab'.repeat(16);
/** Of all devices those that have failing units, and how many units each. */
const FAILING_SHARE = 0.1;
const FAILING_SMS = [3, 40, 100];
/** Hellos that are committed together. */
const TOGETHER = 50;
const RESOLUTION_MS = 10;
const MEGABYTE = 2 ** 20;

/** What it costs to take the lead of a large fleet: from the connection to a state that decides. */
export default bench({
  name: 'state-load',
  async run({ quick, folder, log }) {
    const nodes = quick ? 125 : 1250;
    // As root PostgreSQL is another user, who has to get there.
    await chmod(folder, 0o711);
    const url = `embedded://${join(folder, 'pg')}`;
    const open = () =>
      new StateStore(
        new Database(
          { url, maxConnections: 8, connectTimeoutMs: 5_000, sslmode: 'disable', caFile: '' },
          silentLogger(),
        ),
        silentLogger(),
        () => {},
      );
    log(`filling a database with ${nodes * GPUS} devices, of which ${nodes * GPUS * FAILING_SHARE} fail`);
    // Keeps the server running, so that what follows is what a replica does.
    const first = open();
    const filled = benchCommitter(first, systemClock, CONFIG);
    filled.load(await first.open(), CONFIG);
    await fill(filled, nodes);
    await filled.stop();
    await first.release();
    globalThis.gc?.();
    log('taking the lead');
    const figures = await takeLead(open());
    await first.open();
    await first.close();
    return { figures: quick ? {} : figures, ...(quick ? { notRun: Object.keys(figures) } : {}) };
  },
});

async function takeLead(store: StateStore) {
  const before = process.memoryUsage().rss;
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const started = performance.now();
  const state = await store.take({ holder: 'bench', address: '', after: await epochOf(store) });
  if (state === null) throw new Error('somebody else has the lead');
  const committer = benchCommitter(store, systemClock, CONFIG);
  committer.load(state, CONFIG);
  const seconds = (performance.now() - started) / 1000;
  // The timer that watches has to run once more to see the last of it.
  await new Promise((done) => setTimeout(done, 2 * RESOLUTION_MS));
  delay.disable();
  const megabytes = (process.memoryUsage().rss - before) / MEGABYTE;
  await committer.stop();
  await store.release();
  await store.db.destroy();
  return { lead_seconds: seconds, lead_blocked_ms: delay.max / 1e6, lead_megabytes: megabytes };
}

async function epochOf(store: StateStore): Promise<number> {
  const { epoch } = await store.db.selectFrom('leader').select('epoch').executeTakeFirstOrThrow();
  return epoch;
}

/** Every node says hello; every tenth device has wrong results on a few of its SMs. */
async function fill(committer: Committer, nodes: number): Promise<void> {
  for (let at = 0; at < nodes; at += TOGETHER)
    await Promise.all(Array.from({ length: Math.min(TOGETHER, nodes - at) }, (_, i) => hello(committer, at + i)));
  const failing = Math.round(nodes * GPUS * FAILING_SHARE);
  const perNode = GPUS * FAILING_SHARE;
  for (let i = 0; i < failing; i += 1) await fail(committer, Math.floor(i / perNode), i % GPUS);
}

function gpu(node: number, at: number): string {
  return `GPU-${node.toString(16).padStart(8, '0')}-0000-4000-8000-${at.toString(16).padStart(12, '0')}`;
}

function hello(committer: Committer, node: number): Promise<number> {
  const devices = Array.from({ length: GPUS }, (_, at) => gpu(node, at));
  const record = nodeHello(`node-${node}`, devices, Date.now() * 1000);
  return new Promise((committed, failed) =>
    committer.submit({ kind: 'hello', record, spoolId: SPOOL, committed, failed }),
  );
}

function fail(committer: Committer, at: number, device: number): Promise<void> {
  const node = `node-${at}`;
  const mark = committer.spools.open(node, SPOOL);
  const batch = columns(Date.now() * 1000, gpu(at, device), [{ fails: FAILING_SMS.map((sm) => ({ sm })) }]);
  const origin = { node, spoolId: SPOOL, sequence: mark.committed + 1, buildId: 'bench', testBuild: false };
  return new Promise((committed, failed) =>
    committer.submit({
      kind: 'uplink',
      record: { kind: 'batch', ...origin, batch },
      mark,
      epoch: committer.epochOf(node),
      payload: new Uint8Array(),
      committed,
      failed,
    }),
  );
}

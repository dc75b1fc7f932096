import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bench, residentMegabytes } from '@sentinel/bench-kit';
import { SmallDisk } from '@sentinel/test-kit';
import { Load, type LoadOptions } from '../hammer/load.js';
import { parseVerifierKey } from '../note/keys.js';
import { clientOf } from '../testing/wire.js';
import { WriterProcess } from '../testing/writer-process.js';

/** How much more is offered than is taken. */
const FACTOR = 5;
const PRODUCERS = 8;
const EVENTS_PER_REQUEST = 100;
/** Beyond what the ledger takes of one stream, so that it has to push back. */
const WINDOW_EVENTS = 20_000;
/** What keeps the ledger busy and is never refused. */
const CAPACITY_WINDOW = 2_000;
const WARM_UP_ENTRIES = 50_000;
const WARM_UP_MS = 60_000;
const CAPACITY_MS = 5_000;
const SAMPLE_MS = 200;
const FINISH_MS = 180_000;
const DISK_MEGABYTES = 256;
const OUTAGE_RATE = 200;
/** Commits on their way when the disk fills up, and the free space that is believed for half a second. */
const SETTLE_MS = 1_500;

const FULL = { overloadMs: 60_000, outageMs: 60_000 };
const QUICK = { overloadMs: 10_000, outageMs: 8_000 };

type Log = (line: string) => void;
type Overload = Record<'rss_mb' | 'refusals' | 'silent_refusals' | 'overload_broken', number>;
type Outage = Record<'outage_seconds' | 'outage_acks' | 'outage_restarts' | 'outage_broken', number>;

/**
 * More than the ledger can take, and a store that is away: its disk has no room. An outage of a minute stands for longer ones:
 * nothing in the writer grows or expires with its length, and senders come back every ten seconds.
 */
export default bench({
  name: 'ledger-overload',
  run: async ({ quick, folder, log }) => {
    const { overloadMs, outageMs } = quick ? QUICK : FULL;
    const overload = await overloaded(overloadMs, log);
    const outage = await storeAway(join(folder, 'disk'), outageMs, log);
    const { refusals, outage_seconds, ...figures } = { ...overload, ...outage };
    if (quick) return { figures, notRun: ['refusals', 'outage_seconds'] };
    return { figures: { ...figures, refusals, outage_seconds } };
  },
});

async function overloaded(forMs: number, log: Log): Promise<Overload> {
  await using writer = new WriterProcess();
  const { grpc } = await writer.start();
  const capacity = await capacityOf(writer, grpc);
  log(`${Math.round(capacity)} entries a second are taken, ${FACTOR} times as many are offered`);
  const load = loadOf(writer, grpc, {
    run: 'overload',
    rate: Math.round(capacity * FACTOR),
    eventsPerRequest: EVENTS_PER_REQUEST,
  });
  load.start();
  let rss_mb = 0;
  for (const end = performance.now() + forMs; performance.now() < end; await delay(SAMPLE_MS))
    rss_mb = Math.max(rss_mb, await residentMegabytes(writer.pid ?? 0));
  const refusals = load.refusals.get('RESOURCE_EXHAUSTED') ?? 0;
  const silent_refusals = [...load.refusals.values()].reduce((sum, count) => sum + count, 0) - load.refusalsWithRetry;
  const ackedMeanwhile = load.acked;
  await load.finish(FINISH_MS);
  log(
    `${ackedMeanwhile} entries were acknowledged under overload, ${load.acked} in all; ${load.leftOut} never offered; ${JSON.stringify([...load.refusals])}`,
  );
  const overload_broken = await brokenBy(load, writer, log);
  return { rss_mb, refusals, silent_refusals, overload_broken };
}

async function capacityOf(writer: WriterProcess, address: string): Promise<number> {
  const how = { run: 'capacity', rate: 0, eventsPerRequest: EVENTS_PER_REQUEST, windowEvents: CAPACITY_WINDOW };
  const load = loadOf(writer, address, how);
  load.start();
  for (const end = performance.now() + WARM_UP_MS; load.acked < WARM_UP_ENTRIES && performance.now() < end; )
    await delay(SAMPLE_MS);
  const [before, started] = [load.acked, performance.now()];
  await delay(CAPACITY_MS);
  const capacity = (load.acked - before) / ((performance.now() - started) / 1000);
  await load.finish(FINISH_MS);
  return capacity;
}

async function storeAway(folder: string, forMs: number, log: Log): Promise<Outage> {
  using disk = SmallDisk.mount(folder, DISK_MEGABYTES);
  await using writer = new WriterProcess({ data_dir: join(disk.folder, 'ledger') });
  const { grpc } = await writer.start();
  const { pid } = writer;
  const load = loadOf(writer, grpc, { run: 'outage', rate: OUTAGE_RATE, eventsPerRequest: 1 });
  load.start();
  await delay(SETTLE_MS * 2);
  disk.fill();
  await delay(SETTLE_MS);
  const before = load.acked;
  await delay(forMs);
  const outage_acks = load.acked - before;
  disk.free();
  await load.finish(FINISH_MS);
  log(`outage: ${before} entries acknowledged before, ${load.acked} in all; ${JSON.stringify([...load.refusals])}`);
  const outage_restarts = writer.pid === pid ? 0 : 1;
  const outage_broken = await brokenBy(load, writer, log);
  return { outage_seconds: forMs / 1000, outage_acks, outage_restarts, outage_broken };
}

function loadOf(
  writer: WriterProcess,
  address: string,
  how: Pick<LoadOptions, 'run' | 'rate' | 'eventsPerRequest'> & { readonly windowEvents?: number },
): Load {
  const key = parseVerifierKey(writer.verifierKey);
  return new Load({ windowEvents: WINDOW_EVENTS, ...how, connect: () => clientOf(address), key, producers: PRODUCERS });
}

/** Broken promises, entries without acknowledgement, a writer that does not end well, and what a verification finds. */
async function brokenBy(load: Load, writer: WriterProcess, log: Log): Promise<number> {
  for (const problem of load.check.problems) log(problem);
  const ended = await writer.signal('SIGTERM');
  const verified = await writer.run('verify', '--full');
  log(verified.output.trim());
  return load.check.broken + load.unacked + (ended === 0 ? 0 : 1) + (verified.code === 0 ? 0 : 1);
}

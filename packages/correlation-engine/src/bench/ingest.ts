import type { KeyObject } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { bench } from '@sentinel/bench-kit';
import { ProbeBatch, StreamProbeResultsRequest, UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import { systemClock } from '@sentinel/service-kit/clock';
import { silentLogger } from '@sentinel/service-kit/logging';
import { batchMac, deriveAgentKey, KeyRing } from '@sentinel/service-kit/mac';
import type { Committer } from '../commit/committer.js';
import type { UplinkItem } from '../commit/item.js';
import { apply, begin, type CoreConfig, type CoreState, emptyState, type HelloRecord, install } from '../core.js';
import { columns, SMS } from '../evidence/testing/batches.js';
import { configWith } from '../evidence/testing/config.js';
import { decodeEnvelope, decodeRecord, MAX_PAYLOAD_BYTES, verifyEnvelope } from '../ingest/envelope.js';
import { Database } from '../store/connect.js';
import { StateStore } from '../store/state-store.js';
import { benchCommitter } from './bench-committer.js';

/** Runs of one batch, as the agent's default; devices that one agent's batch speaks of. */
const RUNS = 64;
const NODES = 64;
/** Records that wait together, as those of many agents do. */
const WINDOW = 1024;
const SPOOL = 'ab'.repeat(16);
const FLEET_KEY = Buffer.from('a key for benchmarks, long enough');

interface Sizes {
  readonly warmUp: number;
  readonly folded: number;
  readonly committed: number;
}

const FULL: Sizes = { warmUp: 20_000, folded: 200_000, committed: 100_000 };
const QUICK: Sizes = { warmUp: 5_000, folded: 40_000, committed: 20_000 };

/** What one engine pays for a clean batch of a healthy device: the case that a fleet's load is made of. */
export default bench({
  name: 'ingest',
  async run({ quick, folder, log }) {
    const sizes = quick ? QUICK : FULL;
    const config = configWith({});
    const agents = (): Messages[] => Array.from({ length: NODES }, (_, node) => new Messages(`node-${node}`));
    log(`${RUNS} runs a batch, ${agents()[0]?.next().length} bytes a message, ${availableParallelism()} CPUs`);
    const fold = foldOnly(config, agents());
    fold(sizes.warmUp);
    const cpu_us_per_batch = cpuUsOf(() => fold(sizes.folded)) / sizes.folded;
    log('committing to an embedded PostgreSQL');
    // As root PostgreSQL is another user, who has to get there; else the data would lie elsewhere and outlive the benchmark.
    await chmod(folder, 0o711);
    const { cpuUs, seconds } = await withCommit(config, agents(), join(folder, 'pg'), sizes);
    return {
      figures: {
        cpu_us_per_batch,
        cpu_us_per_batch_with_commit: cpuUs / sizes.committed,
        batches_per_second: sizes.committed / seconds,
      },
    };
  },
});

/** Serialised envelopes of one agent: the same runs again and again, each under the next sequence. */
class Messages {
  readonly node: string;
  readonly #key: KeyObject;
  readonly #payload: Uint8Array;
  sequence = 0;

  constructor(node: string) {
    this.node = node;
    this.#key = deriveAgentKey(FLEET_KEY, node);
    const runs = Array.from({ length: RUNS }, (_, i) => ({ index: i, offsetUs: i * 10_000, family: 1 + (i % 2) }));
    const value = ProbeBatch.fromPartial(columns(Date.now() * 1000, deviceOf(node), runs) as ProbeBatch);
    const body = { $case: 'probeBatch' as const, value };
    this.#payload = UplinkPayload.encode({ createdUs: 0n, buildId: 'bench', testBuild: false, body }).finish();
  }

  next(): Uint8Array {
    this.sequence += 1;
    const header = { node: this.node, spoolId: Buffer.from(SPOOL, 'hex'), sequence: BigInt(this.sequence) };
    const mac = batchMac(this.#key, header, this.#payload);
    return StreamProbeResultsRequest.encode({ ...header, payload: this.#payload, keyId: 'default', mac }).finish();
  }
}

function deviceOf(node: string): string {
  return `CPU-${node}`;
}

function hello(node: string): HelloRecord {
  const families = [1, 2].map((family) => ({
    family,
    probeVersion: 1,
    selfTestSmsRun: SMS.length,
    selfTestSmsPassed: SMS.length,
    instructions: [],
  }));
  const device = {
    id: deviceOf(node),
    model: 'bench',
    vendor: 'bench',
    sms: SMS,
    driverVersion: '1',
    serial: '',
    note: '',
    families,
  };
  return {
    kind: 'hello',
    node,
    identity: 'shared key',
    buildId: 'bench',
    testBuild: false,
    agentTimeUs: Date.now() * 1000,
    devices: [device],
  };
}

const KEYS = new KeyRing(new Map([['default', FLEET_KEY]]));

/** What the engine does with the bytes of a message before its commit. */
function receive(bytes: Uint8Array, node: string): ReturnType<typeof decodeRecord> {
  const envelope = decodeEnvelope(bytes);
  const sender = { node, spoolId: SPOOL };
  if (envelope.payload.length > MAX_PAYLOAD_BYTES) throw new RangeError('the batch of the benchmark is too large');
  verifyEnvelope(envelope, sender, KEYS);
  return decodeRecord(envelope.payload, sender, Number(envelope.sequence), false);
}

/** Messages are made outside of the measured time: making one costs as much as verifying it. */
function foldOnly(config: CoreConfig, messages: readonly Messages[]): (count: number) => void {
  const state: CoreState = emptyState(config);
  let commitSeq = 0;
  const enter = begin(state);
  for (const { node } of messages) {
    commitSeq += 1;
    apply(enter, { commitSeq, nowUs: Date.now() * 1000 }, hello(node));
  }
  install(enter);
  const prepared = messages.map((source) => ({ node: source.node, bytes: source.next() }));
  return (count) => {
    for (let done = 0; done < count; done += WINDOW) {
      const draft = begin(state);
      for (let i = 0; i < Math.min(WINDOW, count - done); i += 1) {
        const { node, bytes } = prepared[i % prepared.length] ?? { node: '', bytes: new Uint8Array() };
        commitSeq += 1;
        apply(draft, { commitSeq, nowUs: Date.now() * 1000 }, receive(bytes, node));
      }
      install(draft);
    }
  };
}

function cpuUsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** The same through the committer: CPU of this process, not of the database's. */
async function withCommit(
  config: CoreConfig,
  messages: readonly Messages[],
  dir: string,
  sizes: Sizes,
): Promise<{ cpuUs: number; seconds: number }> {
  const store = new StateStore(
    new Database(
      { url: `embedded://${dir}`, maxConnections: 8, connectTimeoutMs: 5000, sslmode: 'disable', caFile: '' },
      silentLogger(),
    ),
    silentLogger(),
    () => {},
  );
  try {
    const loaded = await store.open();
    const committer = benchCommitter(store, systemClock, config);
    committer.load(loaded, config);
    for (const { node } of messages) await submitHello(committer, node);
    await commitBatches(committer, messages, sizes.warmUp / 10);
    return await commitBatches(committer, messages, sizes.committed);
  } finally {
    await store.close();
  }
}

function submitHello(committer: Committer, node: string): Promise<number> {
  return new Promise((committed, failed) =>
    committer.submit({ kind: 'hello', record: hello(node), spoolId: SPOOL, committed, failed }),
  );
}

/** A window's messages are made, then taken and committed; only the latter is measured. */
async function commitBatches(
  committer: Committer,
  messages: readonly Messages[],
  count: number,
): Promise<{ cpuUs: number; seconds: number }> {
  let cpuUs = 0;
  let seconds = 0;
  const perNode = WINDOW / messages.length;
  for (let done = 0; done < count; done += WINDOW) {
    const window = messages.flatMap((source) =>
      Array.from({ length: perNode }, () => ({ node: source.node, bytes: source.next() })),
    );
    const cpu = process.cpuUsage();
    const started = performance.now();
    await Promise.all(window.map(({ node, bytes }) => submitBatch(committer, node, bytes)));
    seconds += (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    cpuUs += user + system;
  }
  return { cpuUs, seconds };
}

function submitBatch(committer: Committer, node: string, bytes: Uint8Array): Promise<void> {
  const record = receive(bytes, node);
  const mark = committer.spools.open(node, SPOOL);
  return new Promise((committed, failed) => {
    const item: UplinkItem = {
      kind: 'uplink',
      record,
      mark,
      epoch: committer.epochOf(node),
      payload: bytes,
      committed,
      failed,
    };
    committer.submit(item);
  });
}

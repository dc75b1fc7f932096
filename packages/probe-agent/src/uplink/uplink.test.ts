import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ProbeServiceClient } from '@sentinel/contracts/sentinel/v1/probe.js';
import { createClient } from '@sentinel/service-kit/grpc-client';
import { deriveAgentKey } from '@sentinel/service-kit/mac';
import { spoolFolder } from '@sentinel/service-kit/spool';
import { freePort } from '@sentinel/test-kit';
import { openProbeSpool, type ProbeSpool } from '../spool/probe-spool.js';
import { EngineStub } from '../testing/engine-stub.js';
import { temporaryFolder } from '../testing/folder.js';
import { batchPayload, encoded } from '../testing/payloads.js';
import { until } from '../testing/until.js';
import { explainUplinkError } from './explain.js';
import { Uplink } from './uplink.js';

const root = temporaryFolder();
const KEY = 'a fleet key for tests only';
const NODE = 'node-1';
const PATIENCE_MS = 60_000;

interface Linked {
  readonly engine: EngineStub;
  readonly spool: ProbeSpool;
  readonly uplink: Uplink;
  readonly errors: unknown[];
  readonly retries: number[];
}

async function link(t: TestContext, { key = KEY, start = true } = {}): Promise<Linked> {
  const engine = new EngineStub(KEY);
  // Not of the system's choice, which could give it to another process while the engine is away.
  const address = `127.0.0.1:${await freePort()}`;
  await engine.start(address);
  const folder = spoolFolder(join(root, randomBytes(6).toString('hex')), () => randomBytes(16));
  const spool = await openProbeSpool({ folder, maxBytes: 1 << 24, journal: null, onGivenUp: () => {} });
  const errors: unknown[] = [];
  const retries: number[] = [];
  const uplink = new Uplink({
    identity: { node: NODE, keyId: 'default', agentKey: deriveAgentKey(Buffer.from(key), NODE) },
    spool,
    connect: () => createClient(ProbeServiceClient, { address, tls: null, token: '' }),
    hello: () => ({
      node: NODE,
      spoolId: spool.spoolId,
      buildId: 'build',
      testBuild: false,
      agentVersion: '0',
      keyId: 'default',
      agentTimeUs: 1n,
      devices: [],
      lastSequence: spool.lastSequence,
    }),
    heartbeat: () => ({ agentTimeUs: 1n, spoolRecords: 0, spoolBytes: 0n, overheadPct: 0 }),
    onWelcome: () => {},
    onMessage: () => {},
    onDisconnect: (error, retryMs) => {
      errors.push(error);
      retries.push(retryMs);
    },
    random: () => 0.1,
  });
  t.after(async () => {
    await uplink.stop();
    await spool.close();
    await engine.stop();
  });
  if (start) uplink.start();
  return { engine, spool, uplink, errors, retries };
}

async function append({ spool, uplink }: Linked, first: number, count: number): Promise<void> {
  for (let k = first; k < first + count; k++) await spool.append(batchPayload(k, 1 + (k % 5)));
  uplink.wake();
}

function assertEverythingOnce({ engine }: Linked, count: number): void {
  assert.deepEqual(engine.violations, []);
  const records = engine.distinct();
  assert.equal(records.size, count);
  for (const [sequence, { bytes }] of records) {
    const k = Number(sequence);
    assert.deepEqual(bytes, encoded(batchPayload(k, 1 + (k % 5))));
  }
}

test('records arrive in order, signed, on the connection of the hello, and are forgotten when archived', async (t) => {
  const linked = await link(t);
  await append(linked, 1, 1_000);
  await until('delivery', PATIENCE_MS, () => linked.spool.records === 0);
  assertEverythingOnce(linked, 1_000);
  assert.equal(linked.engine.received.length, 1_000, 'nothing is sent twice on one connection');
});

test('what was not archived is sent again after each cut, whatever the engine says in between', async (t) => {
  const linked = await link(t);
  const { engine, spool } = linked;
  engine.acknowledging = false;
  await append(linked, 1, 40);
  await until('the first records', PATIENCE_MS, () => engine.received.length >= 40);
  engine.acknowledge(20n, 10n);
  await until('forgetting what is archived', PATIENCE_MS, () => spool.firstSequence === 11n);
  engine.cut();
  await until('the second hello', PATIENCE_MS, () => engine.hellos.length === 2);
  await until('resending', PATIENCE_MS, () => engine.received.length >= 70);
  assert.equal(engine.received[40]?.sequence, 11n, 'what is committed alone is offered again');
  engine.acknowledging = true;
  await append(linked, 41, 10);
  await until('delivery', PATIENCE_MS, () => spool.records === 0);
  assertEverythingOnce(linked, 50);
});

test('probing goes on while the engine is away, and everything is delivered when it is back', async (t) => {
  const linked = await link(t);
  const { engine, spool, retries } = linked;
  const { address } = engine;
  await until('hello', PATIENCE_MS, () => engine.hellos.length === 1);
  await engine.stop();
  await append(linked, 1, 100);
  await until('retries', PATIENCE_MS, () => retries.length >= 3);
  assert.ok(retries.every((ms) => ms >= 20 && ms <= 30_000));
  await engine.start(address);
  await until('delivery', PATIENCE_MS, () => spool.records === 0);
  assertEverythingOnce(linked, 100);
});

test('no more than the window is under way', async (t) => {
  const linked = await link(t);
  linked.engine.acknowledging = false;
  await append(linked, 1, 600);
  await until('the window', PATIENCE_MS, () => linked.engine.received.length === 256);
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(linked.engine.received.length, 256);
  linked.engine.acknowledge(100n, 0n);
  await until('more', PATIENCE_MS, () => linked.engine.received.length === 356);
});

test('an engine that acknowledges what it cannot have is left', async (t) => {
  const linked = await link(t);
  linked.engine.acknowledging = false;
  await append(linked, 1, 3);
  await until('records', PATIENCE_MS, () => linked.engine.received.length === 3);
  linked.engine.acknowledge(9n, 9n);
  await until('the end of the session', PATIENCE_MS, () => linked.errors.length > 0);
  assert.match(String(linked.errors[0]), /acknowledged 9/);
  assert.equal(linked.spool.records, 3);
});

test('a data folder that is older than what the engine has is said', async (t) => {
  const linked = await link(t, { start: false });
  linked.engine.welcomeWith = { committedThrough: 12n, archivedThrough: 12n };
  linked.uplink.start();
  await until('the end of the session', PATIENCE_MS, () => linked.errors.length > 0);
  assert.match(explainUplinkError(linked.errors[0], 'engine:1'), /old copy/);
});

test('a wrong key is refused with what to do', async (t) => {
  const linked = await link(t, { key: 'another key entirely, of tests' });
  await until('the refusal', PATIENCE_MS, () => linked.errors.length > 0);
  assert.match(explainUplinkError(linked.errors[0], 'engine:1'), /set probe_agent.hmac_key/);
  assert.equal(linked.engine.hellos.length, 0);
});

test('a status that waits is replaced by a newer one of its directive', async (t) => {
  const linked = await link(t);
  await until('hello', PATIENCE_MS, () => linked.engine.hellos.length === 1);
  await append(linked, 1, 1);
  await until('delivery', PATIENCE_MS, () => linked.spool.records === 0);
  for (let executions = 1; executions <= 100; executions++) {
    linked.uplink.status({ id: 'a', state: 2, executions, failures: 0, reason: '' });
  }
  await until('the last status', PATIENCE_MS, () => linked.engine.statuses.at(-1)?.executions === 100);
});

test('a status that comes while a connection is made waits for the welcome', async (t) => {
  const linked = await link(t, { start: false });
  linked.uplink.start();
  linked.uplink.status({ id: 'a', state: 2, executions: 1, failures: 0, reason: '' });
  await until('the status', PATIENCE_MS, () => linked.engine.statuses.length > 0);
  assert.deepEqual([linked.engine.violations, linked.engine.hellos.length, linked.errors], [[], 1, []]);
});

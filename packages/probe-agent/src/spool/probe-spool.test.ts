import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync, truncateSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { nodeFiles } from '@sentinel/service-kit/segment-log';
import { spoolFolder } from '@sentinel/service-kit/spool';
import fc from 'fast-check';
import { temporaryFolder } from '../testing/folder.js';
import { batchPayload, encoded } from '../testing/payloads.js';
import { until } from '../testing/until.js';
import type { GivenUp } from './give-up.js';
import { giveUpTestBuilds, openProbeSpool, type ProbeSpool, type ProbeSpoolOptions } from './probe-spool.js';

const root = temporaryFolder();
const ROOMY = 1 << 28;
const PATIENCE_MS = 120_000;

function fresh(): string {
  return join(root, randomBytes(6).toString('hex'));
}

function open(parent: string, options: Partial<ProbeSpoolOptions> = {}): Promise<ProbeSpool> {
  const folder = spoolFolder(parent, () => randomBytes(16));
  return openProbeSpool({ folder, maxBytes: ROOMY, journal: null, onGivenUp: () => {}, ...options });
}

function files(spool: ProbeSpool, parent: string): string[] {
  const dir = join(parent, spool.spoolId.toString('hex'));
  return readdirSync(dir)
    .sort()
    .map((name) => join(dir, name));
}

test('records have gap-free sequences that go on after a restart, under the same spool id', async () => {
  const parent = fresh();
  const first = await open(parent);
  assert.deepEqual(await Promise.all([1, 2, 3].map((k) => first.append(batchPayload(k, k)))), [1n, 2n, 3n]);
  await first.close();
  const second = await open(parent);
  assert.deepEqual(second.spoolId, first.spoolId);
  assert.equal(second.lastSequence, 3n);
  assert.deepEqual(await second.read(2n), encoded(batchPayload(2, 2)));
  assert.equal(await second.append(batchPayload(4, 1)), 4n);
  await second.close();
});

test('only what is archived is forgotten', async () => {
  const spool = await open(fresh());
  for (let k = 1; k <= 5; k++) await spool.append(batchPayload(k, 1));
  await spool.acknowledge(4n, 2n);
  assert.deepEqual([spool.records, spool.firstSequence], [3, 3n]);
  await spool.read(3n);
  await assert.rejects(spool.read(2n), RangeError);
  await spool.close();
});

test('a spool that was archived to its end does not start over', async () => {
  const parent = fresh();
  let spool = await open(parent, { maxBytes: 1 << 20 });
  for (let k = 1; k <= 300; k++) await spool.append(batchPayload(k, 20));
  await spool.acknowledge(300n, 300n);
  assert.equal(files(spool, parent).length, 1, 'the files of archived records are gone');
  for (let restart = 0; restart < 3; restart++) {
    await spool.close();
    spool = await open(parent, { maxBytes: 1 << 20 });
    assert.deepEqual([spool.lastSequence, spool.records], [300n, 0]);
  }
  assert.equal(await spool.append(batchPayload(1, 1)), 301n);
  await spool.close();
});

test('any history of appends, acknowledgements, torn tails and restarts keeps every owed record as it was', async () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ op: fc.constant('append' as const), runs: fc.integer({ min: 1, max: 200 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({ op: fc.constant('ack' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
    },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('restart' as const), torn: fc.nat(20) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const parent = fresh();
      let spool = await open(parent, { maxBytes: 1 << 20 });
      const owed = new Map<bigint, Buffer>();
      let last = 0n;
      for (const what of steps) {
        if (what.op === 'append') {
          const payload = batchPayload(Number(last), what.runs);
          assert.equal(await spool.append(payload), last + 1n);
          last += 1n;
          owed.set(last, encoded(payload));
        } else if (what.op === 'ack') {
          const through = BigInt(Math.floor(Number(last) * what.share));
          await spool.acknowledge(through, through);
          for (const sequence of owed.keys()) if (sequence <= through) owed.delete(sequence);
        } else {
          await spool.append(batchPayload(9, 1));
          await spool.close();
          // The last write did not reach the disk whole: nobody was told of it.
          const newest = files(spool, parent).at(-1) ?? '';
          truncateSync(newest, statSync(newest).size - 1 - what.torn);
          spool = await open(parent, { maxBytes: 1 << 20 });
          assert.equal(spool.lastSequence, last);
        }
      }
      for (const [sequence, bytes] of owed) assert.deepEqual(await spool.read(sequence), bytes);
      await spool.close();
    }),
    { numRuns: 25 },
  );
});

test('a full spool replaces its oldest passing payloads by counts under the same sequence, mismatches last', async () => {
  const parent = fresh();
  const maxBytes = 1 << 20;
  let lost: GivenUp[] = [];
  let spool = await open(parent, { maxBytes, onGivenUp: (one) => lost.push(one) });
  const isMismatch = (k: number) => k % 10 === 0;
  let k = 0;
  while (k < 900) {
    k += 1;
    await spool.append(batchPayload(k, 60, isMismatch(k) ? 2 : 0));
    assert.ok(spool.bytes <= maxBytes);
  }
  assert.ok(lost.length > 0 && lost.every(({ mismatches }) => mismatches === 0), 'passing payloads go first');
  await spool.close();
  spool = await open(parent, { maxBytes, onGivenUp: (one) => lost.push(one) });
  assert.deepEqual([spool.lastSequence, spool.records], [900n, 900]);
  let gaps = 0;
  for (let sequence = 1; sequence <= 900; sequence++) {
    const payload = UplinkPayload.decode(await spool.read(BigInt(sequence)));
    if (payload.body?.$case !== 'gap') {
      assert.deepEqual(encoded(payload), encoded(batchPayload(sequence, 60, isMismatch(sequence) ? 2 : 0)));
      continue;
    }
    gaps += 1;
    assert.equal(isMismatch(sequence), false);
    const { runs, executions, mismatches, firstTimeUs } = payload.body.value;
    assert.deepEqual([runs, executions, mismatches], [60, 120, 0]);
    assert.equal(firstTimeUs, 1_700_000_000_000_000n + BigInt(sequence));
  }
  assert.equal(gaps, lost.length);

  // Nothing but mismatches comes in: they are given up when nothing else is left, the oldest first, with their count.
  lost = [];
  while (lost.every(({ mismatches }) => mismatches === 0)) {
    k += 1;
    await spool.append(batchPayload(k, 60, 2));
  }
  for (let sequence = 1n; sequence <= 900n; sequence += 1n) {
    const { body } = UplinkPayload.decode(await spool.read(sequence));
    if (!isMismatch(Number(sequence))) assert.equal(body?.$case, 'gap', `record ${sequence} passes and was kept`);
  }
  await spool.close();
});

test('a spool full of counts says so and takes records again once some are archived', async () => {
  const spool = await open(fresh(), { maxBytes: 1 << 16 });
  const fill = async () => {
    for (;;) await spool.append(batchPayload(1, 30));
  };
  await assert.rejects(fill(), (error) => error instanceof SentinelError && error.code === 'RESOURCE_EXHAUSTED');
  const last = spool.lastSequence;
  await spool.acknowledge(last, last / 2n);
  assert.equal(await spool.append(batchPayload(2, 30)), last + 1n);
  await spool.close();
});

test('a full disk uses up no sequence', async () => {
  let full = false;
  const files: NonNullable<ProbeSpoolOptions['files']> = {
    ...nodeFiles,
    open: async (dir, segment, flags) => {
      const handle = await nodeFiles.open(dir, segment, flags);
      const write = handle.writev.bind(handle);
      handle.writev = ((buffers, position) => {
        if (full) return Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
        return write(buffers, position);
      }) as typeof handle.writev;
      return handle;
    },
  };
  const spool = await open(fresh(), { files });
  await spool.append(batchPayload(1, 1));
  full = true;
  await assert.rejects(
    spool.append(batchPayload(2, 1)),
    (error) => error instanceof SentinelError && error.reason === 'DISK_FULL',
  );
  assert.equal(spool.lastSequence, 1n);
  full = false;
  assert.equal(await spool.append(batchPayload(3, 1)), 2n);
  assert.deepEqual(await spool.read(2n), encoded(batchPayload(3, 1)));
  await spool.close();
});

test('a file that is missing in the middle is said, not skipped', async () => {
  const parent = fresh();
  const spool = await open(parent, { maxBytes: 1 << 20 });
  for (let k = 1; k <= 200; k++) await spool.append(batchPayload(k, 60));
  await spool.close();
  unlinkSync(files(spool, parent)[2] ?? '');
  await assert.rejects(open(parent), /lacks record/);
});

test('two spools in one folder are refused', () => {
  const parent = fresh();
  spoolFolder(parent, () => Buffer.alloc(16, 1));
  assert.deepEqual(spoolFolder(parent, () => Buffer.alloc(16, 3)).spoolId, Buffer.alloc(16, 1), 'it is made once');
  mkdirSync(join(parent, '02'.repeat(16)));
  assert.throws(() => spoolFolder(parent, () => Buffer.alloc(16, 3)), /holds 2 spools/);
});

test('whatever a writer was told is durable is there after kill -9, and no sequence has two contents', {
  timeout: 600_000,
}, async () => {
  const parent = fresh();
  const script = new URL('../testing/spool-writer.js', import.meta.url).pathname;
  const known = new Map<bigint, string>();
  const maxBytes = 1 << 20;
  for (let life = 0; life < 12; life++) {
    const writer = spawn(process.execPath, [script, parent, String(life), String(maxBytes)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    writer.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    // By what it did, not by time: a disk may take long for each record.
    const records = 5 + life * 5;
    await until(`${records} records`, PATIENCE_MS, () => text.split('\n').length > records);
    writer.kill('SIGKILL');
    await once(writer, 'close');
    for (const line of text.split('\n').slice(0, -1)) {
      const [sequence = '', hash = ''] = line.split(' ');
      assert.equal(known.has(BigInt(sequence)), false, `sequence ${sequence} was given twice`);
      known.set(BigInt(sequence), hash);
    }
    const spool = await open(parent, { maxBytes });
    const told = [...known.keys()].at(-1) ?? 0n;
    // One record may be durable without anybody having been told.
    assert.ok(spool.lastSequence === told || spool.lastSequence === told + 1n);
    if (spool.lastSequence > told) known.set(spool.lastSequence, await hashOf(spool, spool.lastSequence));
    for (let sequence = spool.firstSequence; sequence <= told; sequence += 1n) {
      const hash = await hashOf(spool, sequence);
      if (hash !== 'gap') assert.equal(hash, known.get(sequence));
    }
    await spool.close();
  }
  assert.ok(known.size > 100);
});

async function hashOf(spool: ProbeSpool, sequence: bigint): Promise<string> {
  const bytes = await spool.read(sequence);
  if (UplinkPayload.decode(bytes).body?.$case === 'gap') return 'gap';
  return createHash('sha256').update(bytes).digest('hex');
}

test('what a test build left is given up as counts that stay marked; the rest and what is committed stay as they were', async () => {
  const parent = fresh();
  const lost: GivenUp[] = [];
  let spool = await open(parent, { onGivenUp: (one) => lost.push(one) });
  const left = (first: number): UplinkPayload => ({ ...batchPayload(first, 5, 2), testBuild: true });
  for (const payload of [left(1), batchPayload(2, 3, 1), left(3), batchPayload(4, 1)]) await spool.append(payload);
  assert.equal(await giveUpTestBuilds(spool, 1n), 1);
  assert.equal(await giveUpTestBuilds(spool, 1n), 0, 'a second time finds nothing');
  assert.deepEqual(lost, [{ runs: 5, executions: 10, mismatches: 2 }]);
  await spool.close();
  spool = await open(parent);
  assert.deepEqual(await spool.read(1n), encoded(left(1)), 'the engine has this one already');
  assert.deepEqual(await spool.read(2n), encoded(batchPayload(2, 3, 1)));
  assert.deepEqual(await spool.read(4n), encoded(batchPayload(4, 1)));
  const { testBuild, body } = UplinkPayload.decode(await spool.read(3n));
  assert.ok(testBuild && body?.$case === 'gap' && body.value.mismatches === 2);
  assert.equal(await spool.append(batchPayload(5, 1)), 5n);
  await spool.close();
});

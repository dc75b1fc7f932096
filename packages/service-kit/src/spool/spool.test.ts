import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Payloads, Spool, spoolFolder } from './index.js';

// The agent's spool has tests of kills, full disks and records that are given up (packages/probe-agent/src/spool).

const KEPT: Payloads<string> = {
  encode: (text) => Buffer.from(text),
  kindOf: () => 'kept',
  giveUp: () => Buffer.from('given up'),
};

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-spool-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function open(parent: string): Promise<Spool<string>> {
  const folder = spoolFolder(parent, () => randomBytes(16));
  return Spool.open({ folder, maxBytes: 65_536, maxBytesKey: 'x.max_bytes', payloads: KEPT });
}

test('what is kept fills the spool: the next is refused, naming the key, until something is acknowledged', async (t) => {
  const parent = folderOf(t);
  const spool = await open(parent);
  const record = 'x'.repeat(4_000);
  let kept = 0n;
  await assert.rejects(
    async () => {
      for (;;) kept = await spool.append(record);
    },
    { code: 'RESOURCE_EXHAUSTED', field: 'x.max_bytes' },
  );
  assert.ok(kept >= 4n);
  assert.equal(spool.lastSequence, kept);
  await spool.acknowledge(kept, kept);
  assert.equal(await spool.append(record), kept + 1n);
  await spool.close();
  const again = await open(parent);
  assert.deepEqual([again.firstSequence, again.lastSequence, again.spoolId], [kept + 1n, kept + 1n, spool.spoolId]);
  assert.equal(String(await again.read(kept + 1n)), record);
  await again.close();
});

test('what the engine refuses is given up wherever it is, once', async (t) => {
  const spool = await open(folderOf(t));
  for (const text of ['good', 'bad', 'good', 'bad']) await spool.append(text);
  const isBad = (bytes: Uint8Array) => Buffer.from(bytes).toString() === 'bad';
  assert.equal(await spool.giveUpRefused(2n, isBad), 1);
  const texts = await Promise.all([1n, 2n, 3n, 4n].map(async (sequence) => String(await spool.read(sequence))));
  assert.deepEqual(texts, ['good', 'bad', 'good', 'given up']);
  await spool.close();
});

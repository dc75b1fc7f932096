import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../tree/hash.js';
import { BLOCK_ENTRIES, IndexBlock } from './block.js';
import { IndexCheck } from './index-check.js';

type Given = Parameters<IndexCheck['take']>[1][number];

const leaves: NonNullable<Given>[] = Array.from({ length: BLOCK_ENTRIES }, (_, n) => ({
  type: ([1, 2, 3] as const)[n % 3] ?? 1,
  eventUs: 1000 + n,
  gpu: n % 5 === 0 ? '' : `GPU-${n % 7}`,
}));
const block = new IndexBlock(BLOCK_ENTRIES);
for (const leaf of leaves) block.add(leaf, 1);
const stored = block.encode();

async function check(bytes: Buffer, given: readonly Given[] = leaves, from = 0) {
  const checked = new IndexCheck({ load: (number) => Promise.resolve(number === 1 ? bytes : undefined) });
  for (let at = from; at < given.length; at += 256) await checked.take(BLOCK_ENTRIES + at, given.slice(at, at + 256));
  return checked.faults.map(({ first, what }) => `${first - BLOCK_ENTRIES} ${what}`);
}

/** As whoever forges a block would: with a digest that fits. */
function forged(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(stored);
  change(bytes);
  bytes.set(sha256(bytes.subarray(0, -32)), bytes.length - 32);
  return bytes;
}

describe('an index block', () => {
  it('that fits its entries is right, also where some are pruned or only a part is looked at', async () => {
    assert.deepEqual(await check(stored), []);
    assert.deepEqual(
      await check(
        stored,
        leaves.map((leaf, n) => (n === 7 ? undefined : leaf)),
      ),
      [],
    );
    assert.deepEqual(await check(stored, leaves, 512), []);
  });

  it('that hides an entry, or says another time or GPU of it, is found out by that entry, whatever its digest', async () => {
    const typeAt = 20 + 8 * 256 + 700;
    const timeAt = 20 + 8 * 256 + BLOCK_ENTRIES + 8 * 700 + 7;
    for (const bytes of [forged((each) => each.writeUInt8(0, typeAt)), forged((each) => each.writeUInt8(1, timeAt))])
      assert.deepEqual(await check(bytes), ['700 index block 1 does not say what this entry is, so queries miss it']);
    const other = leaves.with(9, { type: 1, eventUs: 1009, gpu: 'GPU-6' });
    assert.match((await check(stored, other)).join(), /^9 /);
  });

  it('of other entries, or damaged, is named', async () => {
    assert.match(
      (await check(forged((bytes) => bytes.writeBigUInt64BE(0n, 4)))).join(),
      /is that of entries 0 and after/,
    );
    for (let at = 0; at < stored.length; at += 70_001) {
      const bytes = Buffer.from(stored);
      bytes[at] = (bytes[at] ?? 0) ^ 4;
      assert.deepEqual(await check(bytes), ['0 index block 1 is damaged']);
    }
    for (const at of [12, 16, stored.length - 40]) await check(forged((bytes) => bytes.writeUInt32BE(0xff_ff_ff, at)));
  });
});

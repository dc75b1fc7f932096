import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { it } from 'node:test';
import { BLOCK_ENTRIES } from '../../index/block.js';
import { EventIdBlock } from './blocks.js';
import { EventIdCheck } from './event-id-check.js';

const BUNDLE = 256;
const leafOf = (seq: number) => ({
  eventId: createHash('sha256').update(`event ${seq}`).digest().subarray(0, 16),
  receivedUs: 1_700_000_000e6 + seq,
});

/** Block 1 of a log; `changed`: what it holds in place of an entry's id. */
function blockOne(changed: { readonly [seq: number]: Uint8Array } = {}, newestUs?: number): Buffer {
  const block = new EventIdBlock();
  for (let seq = BLOCK_ENTRIES; seq < 2 * BLOCK_ENTRIES; seq += 1) {
    const { eventId, receivedUs } = leafOf(seq);
    block.add(changed[seq] ?? eventId, seq === 2 * BLOCK_ENTRIES - 1 ? (newestUs ?? receivedUs) : receivedUs);
  }
  return block.encode();
}

async function faultsOf(content: Buffer, pruned?: number): Promise<number[]> {
  const check = new EventIdCheck(async (number) => (number === 1 ? content : undefined));
  for (let first = 0; first < 3 * BLOCK_ENTRIES; first += BUNDLE) {
    const seqs = Array.from({ length: BUNDLE }, (_, i) => first + i);
    await check.take(
      first,
      seqs.map((seq) => (seq === pruned ? undefined : leafOf(seq))),
    );
  }
  return check.faults.map(({ first }) => first);
}

it('holds stored fingerprints against the entries, whatever their digest says', async () => {
  const seq = BLOCK_ENTRIES + 700;
  const zeros = Buffer.alloc(16);
  assert.deepEqual(await faultsOf(blockOne()), []);
  assert.deepEqual(await faultsOf(blockOne({ [seq]: zeros, [seq + 3000]: zeros })), [seq]);
  assert.deepEqual(await faultsOf(blockOne({ [seq]: zeros }), seq), [], 'its entry is pruned');
  for (const byte of [0, 3, 12, 15]) {
    const other = Buffer.from(leafOf(seq).eventId);
    other[byte] = (other[byte] ?? 0) ^ 1;
    assert.deepEqual(await faultsOf(blockOne({ [seq]: other })), [seq], `byte ${byte}`);
  }
  assert.deepEqual(await faultsOf(blockOne({}, 1)), [2 * BLOCK_ENTRIES - 1], 'how old the block is');
});

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LeafType } from '../leaf/leaf.js';
import { BLOCK_ENTRIES } from './block.js';
import { IndexStore } from './index-store.js';

const BLOCKS = 12;

it('does not read blocks again that hold nothing of the time that is asked for', async () => {
  const kept = new Map<number, Buffer>();
  const loaded: number[] = [];
  const keeper = {
    load: async (number: number) => {
      loaded.push(number);
      return kept.get(number);
    },
    save: async (number: number, block: Buffer) => void kept.set(number, block),
  };
  const index = new IndexStore(0, keeper, () => Promise.reject(new Error('no leaf is asked for')));
  for (let seq = 0; seq < BLOCKS * BLOCK_ENTRIES; seq += 1) {
    index.add(seq, { type: LeafType.probe, eventUs: 1000 + seq, gpu: `GPU-${seq % 7}` }, 1);
    if (seq % BLOCK_ENTRIES === 0) await index.flush();
  }
  await index.flush();
  const everywhere = { gpu: '', type: undefined, fromSeq: 0, toSeq: index.size };
  const at = async (seq: number): Promise<readonly number[]> =>
    (await index.query({ ...everywhere, startUs: 1000 + seq, endUs: 1001 + seq }, 'newest', 10)).seqs;
  loaded.length = 0;
  const wanted = 3 * BLOCK_ENTRIES + 5;
  assert.deepEqual(await at(wanted), [wanted]);
  assert.deepEqual(loaded, [3], 'the others are known to be elsewhere in time');
  assert.deepEqual(await at(BLOCKS * BLOCK_ENTRIES + 1), []);
  assert.deepEqual(loaded, [3]);
});

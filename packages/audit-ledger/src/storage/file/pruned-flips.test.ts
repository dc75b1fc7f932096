/** Bits that flip in what a pruning left behind: how far it went, and the entries that it kept. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { AgedLedger } from '../../testing/aged-ledger.js';
import { freshFolder } from '../../testing/ledgers.js';

/** Of each file; odd, so that every bit of a byte has its turn. */
const FLIPS = 401;

it('a flipped bit in what a pruning left behind is found, in every file', async () => {
  const aged = await AgedLedger.open(freshFolder());
  await aged.grow(6, 30);
  await aged.keeper.addHold({ gpu: 'GPU-1', producer: '', fromUs: 0, toUs: 0 }, 'case 12', 'lawyer');
  await aged.prune(4, 2);
  await aged.opened.close();
  assert.deepEqual((await aged.verify()).findings, []);
  const kept = readdirSync(join(aged.folder, 'kept')).map((name) => join('kept', name));
  assert.ok(kept.length > 0);
  for (const name of ['pruned', ...kept]) {
    const file = join(aged.folder, name);
    const intact = readFileSync(file);
    const step = Math.max(1, Math.ceil((intact.length * 8) / FLIPS) | 1);
    for (let bit = 0; bit < intact.length * 8; bit += step) {
      const bytes = Buffer.from(intact);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(file, bytes);
      const found = await aged.verify().then(
        ({ ok }) => !ok,
        () => true,
      );
      assert.ok(found, `${name}: bit ${bit} of ${intact.length * 8}`);
    }
    writeFileSync(file, intact);
  }
});

/** A slice of the bench `ledger-bitflip`: many bits at once, and that a bit which nothing covers would be seen as missed. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { FlippedFolder } from '../../testing/disk-flips.js';
import { draftOf, freshFolder, openTestLedger, requestOf } from '../../testing/ledgers.js';

it('every one of several flipped bits is found and located, in each file', async () => {
  const commits = [1, ...Array.from({ length: 12 }, () => 30)];
  const folder = freshFolder();
  const { ledger, close } = await openTestLedger(folder);
  for (const count of commits.slice(1))
    await ledger.ingest(requestOf(Array.from({ length: count }, (_, n) => draftOf(n))));
  await close();
  const flipped = new FlippedFolder(folder);
  for (const file of flipped.files()) {
    const count = /^(entries|details|hashes\/0)\//.test(file.file) ? 5 : 1;
    assert.deepEqual(await flipped.missed(flipped.spread(file, count, Math.random)), [], file.file);
  }
  writeFileSync(join(folder, 'unknown'), 'nothing looks here');
  assert.equal((await flipped.missed([{ file: 'unknown', bit: 3 }])).length, 1);
});

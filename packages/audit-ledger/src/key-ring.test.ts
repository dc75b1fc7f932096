import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { KeyRing } from './key-ring.js';
import { openCheckpoint } from './note/checkpoint.js';
import { writeSigningKey } from './note/key-file.js';
import { parseVerifierKey } from './note/keys.js';
import { followRotations } from './note/rotation.js';
import { readRotations } from './retention/chain.js';
import { folderBackend, freshFolder, ledgerOptions } from './testing/ledgers.js';

it('two hand-overs that are ordered at once come one after the other, each from the key before it', async () => {
  const folder = freshFolder();
  const file = join(folder, 'ledger.key');
  const first = parseVerifierKey(writeSigningKey(file, 'sentinel/test'));
  const config = { signing_key: readFileSync(file, 'utf8').trim(), signing_key_path: file, origin: '' };
  const { key: _, ...options } = ledgerOptions(folderBackend(join(folder, 'ledger')));
  const { keys, store, ledger, close } = await KeyRing.open(config, options);
  const made = await Promise.all([keys.rotate('alice'), keys.rotate('bob')]);
  assert.equal(new Set([first.text, ...made.map(({ verifierKey }) => verifierKey)]).size, 3);
  const { key, by } = followRotations(first, await readRotations(store));
  assert.deepEqual([key.text, by.length], [made[1]?.verifierKey, 2]);
  assert.equal(openCheckpoint(ledger.checkpoint.note, key).size, ledger.checkpoint.size);
  await close();
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseVerifierKey } from '@sentinel/audit-ledger/verify';
import { temporaryFolder } from '@sentinel/test-kit';
import { openDataFolder } from './data-folder.js';
import { ensureSecrets } from './secrets.js';

test('secrets are made once, for their owner alone, and kept', async () => {
  await using temporary = await temporaryFolder();
  const folder = openDataFolder(temporary.path);
  const files = ensureSecrets(folder);
  const contents = (): string[] =>
    readdirSync(folder.secrets).map((name) => readFileSync(join(folder.secrets, name), 'utf8'));
  const first = contents();
  assert.equal(new Set(first).size, Object.keys(files).length);
  for (const file of Object.values(files)) assert.equal(statSync(file).mode & 0o777, 0o600, file);
  assert.deepEqual(ensureSecrets(folder), files);
  assert.deepEqual(contents(), first);
});

test('the engine knows the fleet key by its id, and the verifier key is that of the signing key', async () => {
  await using temporary = await temporaryFolder();
  const { hmacKey, hmacKeys, ledgerKey, ledgerVerifierKey } = ensureSecrets(openDataFolder(temporary.path));
  const read = (file: string): string => readFileSync(file, 'utf8').trim();
  assert.equal(read(hmacKeys), `default=${read(hmacKey)}`);
  assert.ok(read(ledgerKey).startsWith(`PRIVATE+KEY+${parseVerifierKey(read(ledgerVerifierKey)).name}+`));
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { temporaryFolder } from '@sentinel/test-kit';
import { SentinelError } from './errors.js';
import { ensureSecretFile, readSecretFile } from './secrets.js';

test('a secret is made once, at random, for its owner alone', async () => {
  await using folder = await temporaryFolder();
  const secret = ensureSecretFile(folder.join('a'));
  assert.match(secret, /^[\w-]{43}$/);
  assert.notEqual(secret, ensureSecretFile(folder.join('b')));
  assert.equal(ensureSecretFile(folder.join('a')), secret);
  assert.equal(statSync(folder.join('a')).mode & 0o777, 0o600);
  assert.equal(readFileSync(folder.join('a'), 'utf8'), `${secret}\n`);
  assert.deepEqual(readdirSync(folder.path).sort(), ['a', 'b']);
});

test('processes that make it at once all get the same one', async () => {
  await using folder = await temporaryFolder();
  const script = `
    import { ensureSecretFile } from ${JSON.stringify(new URL('./secrets.js', import.meta.url).href)};
    process.stdout.write(ensureSecretFile(${JSON.stringify(folder.join('token'))}));`;
  const made = await Promise.all(
    Array.from({ length: 4 }, () => text(spawn(process.execPath, ['--input-type=module', '-e', script]).stdout)),
  );
  assert.equal(new Set(made).size, 1);
  assert.equal(made[0], readSecretFile(folder.join('token')));
});

test('a file that is not there is null, one that cannot be read says so', async () => {
  await using folder = await temporaryFolder();
  assert.equal(readSecretFile(folder.join('none')), null);
  writeFileSync(folder.join('padded'), '  secret \n');
  assert.equal(readSecretFile(folder.join('padded')), 'secret');
  mkdirSync(folder.join('folder'));
  assert.throws(
    () => readSecretFile(folder.join('folder')),
    (error: unknown) => error instanceof SentinelError && error.message.includes(folder.join('folder')),
  );
});

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@sentinel/monitor-kit/testing/until';
import { ConfigError } from '@sentinel/service-kit/config';
import { promptsOf } from './prompts.js';

test('the prompts of the product fit the wire contract and are different', () => {
  const prompts = promptsOf('');
  assert.ok(prompts.length >= 8 && new Set(prompts).size === prompts.length);
  for (const prompt of prompts) assert.ok(Buffer.byteLength(prompt) <= 4096 && prompt !== '');
});

test('those of a file are one a line; a file that will not do is named with the key', () => {
  const file = join(temporaryFolder(), 'prompts.txt');
  writeFileSync(file, 'one\n\ntwo\n');
  assert.deepEqual(promptsOf(file), ['one', 'two']);
  for (const [content, reason] of [
    ['', /must have 1 to 64 lines, and has 0/],
    ['x\n'.repeat(65), /and has 65/],
    [`ok\n${'y'.repeat(4097)}`, /prompt 2 of .* is longer than 4096 bytes/],
  ] as const) {
    writeFileSync(file, content);
    assert.throws(
      () => promptsOf(file),
      (error) =>
        error instanceof ConfigError && reason.test(error.message) && /canary\.prompts_file/.test(error.message),
    );
  }
  assert.throws(() => promptsOf('/does/not/exist'), /cannot read \/does\/not\/exist/);
});

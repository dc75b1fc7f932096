import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plain, plainLines, plainly } from './plain.js';

test('orders to a terminal are shown, not carried out', () => {
  assert.equal(plain('\u001b[2J\u009b1mHEALTHY\u0007 \u007fü'), '\\x1b[2J\\x9b1mHEALTHY\\x07 \\x7fü');
  assert.equal(plain('one \r\n two\tthree'), 'one two three');
  assert.equal(plainLines('one\ntwo\u001b'), 'one\ntwo\\x1b');
});

test('so in all texts of a message; bytes and numbers stay', () => {
  const bytes = new Uint8Array([27]);
  assert.deepEqual(plainly({ a: ['\u001b', 1n], b: { '\u001b': null }, bytes, none: undefined }), {
    a: ['\\x1b', 1n],
    b: { '\\x1b': null },
    bytes,
    none: undefined,
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsedTolerantly, saysNonfinite } from './nonfinite.js';

test('the words of Python are read, and texts that look like them stay', () => {
  const text = '{"a": [NaN, Infinity, -Infinity, -1.5], "NaN": "NaN, \\"Infinity\\" -Infinity", "b": "\\\\"}';
  assert.deepEqual(parsedTolerantly(text), {
    a: [null, null, -9999, -1.5],
    NaN: 'NaN, "Infinity" -Infinity',
    b: '\\',
  });
  const long = 'x'.repeat(4_000_000);
  assert.deepEqual(parsedTolerantly(JSON.stringify([long]).replace(']', ',NaN]')), [long, null]);
  for (const wrong of ['{"a": nan}', '[NaN', 'Infinityx', ''])
    assert.throws(() => parsedTolerantly(wrong), SyntaxError, wrong);
});

test('what a server says of values that JSON cannot have', () => {
  assert.ok(saysNonfinite('400: Out of range float values are not JSON compliant: nan'));
  assert.ok(!saysNonfinite('400: logprobs are not supported'));
});

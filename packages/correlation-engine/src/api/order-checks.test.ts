import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkEvidence, checkText, MAX_EVIDENCE } from './order-checks.js';

const CONTROLS = [...Array(0x20).keys(), ...Array.from({ length: 0x21 }, (_, i) => 0x7f + i)];

test('what moves the cursor of whoever reads it is no text, and the field is named', () => {
  for (const code of CONTROLS) {
    const text = `INC-1${String.fromCharCode(code)}`;
    assert.throws(() => checkText('directive_id', text, 128), { code: 'INVALID_ARGUMENT', field: 'directive_id' });
    assert.throws(() => checkEvidence(['a link', text]), { field: 'evidence[1]', message: /control characters/ });
  }
});

test('words of any language are', () => {
  checkText('reason', 'Lüfter getauscht – см. 票 🙂 “INC-1”', 128);
  checkEvidence(Array.from({ length: MAX_EVIDENCE }, () => 'a link'));
});

test('nothing, blanks and too much are none', () => {
  for (const text of ['', '  ', 'x'.repeat(129), '\ud800'])
    assert.throws(() => checkText('reason', text, 128), { field: 'reason' });
  assert.throws(() => checkEvidence(Array(MAX_EVIDENCE + 1).fill('x')), { field: 'evidence' });
});

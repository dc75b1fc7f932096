import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cursorText, parseCursor } from './live-cursor.js';

test('an id names a place of one fleet; what is none is refused', () => {
  assert.equal(parseCursor('a1', cursorText('a1', 12)), 12);
  for (const text of ['', '12', 'a1-', 'a1-x', 'b2-12', 'a1-9999999999999999', 'a1-1-2', ' a1-1'])
    assert.equal(parseCursor('a1', text), null, text);
});

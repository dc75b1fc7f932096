import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cursorText, parseCursor } from './live-cursor.js';

test('an id names a place; what is none is refused', () => {
  const cursor = { commitSeq: 42, nowUs: 1_700_000_000_000_000 };
  assert.deepEqual(parseCursor(cursorText(cursor)), cursor);
  for (const text of ['', '42', '42-', '-1-2', '1-2-3', '1.5-2', 'a-b', `9999999999999999-1`, `${'9'.repeat(20)}-1`])
    assert.equal(parseCursor(text), null, text);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clipped, modelName } from './names.js';

test('a text is cut between two characters', () => {
  assert.deepEqual([clipped('aé', 3), clipped('aé', 2), clipped('a😀', 4), clipped('abc', 9)], ['aé', 'a', 'a', 'abc']);
});

test('a version is part of the name of a model, which is never longer than what is sent may be', () => {
  assert.deepEqual([modelName('m'), modelName('m', ''), modelName('m', '2')], ['m', 'm', 'm:2']);
  for (const [name, version] of [
    ['é'.repeat(200), '12'],
    ['m'.repeat(300), 'é'.repeat(300)],
  ] as const) {
    const whole = modelName(name, version);
    assert.ok(Buffer.byteLength(whole) <= 200 && Buffer.byteLength(whole) > 197, whole);
    assert.ok(whole.includes(`:${version.slice(0, 2)}`) && !whole.includes('\ufffd'), whole);
  }
});

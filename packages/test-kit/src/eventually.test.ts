import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from './eventually.js';

test('it resolves with the first value, zero and the empty string among them', async () => {
  const answers = [undefined, null, false, 0];
  assert.equal(await eventually(() => answers.shift(), { what: 'an answer', intervalMs: 1 }), 0);
  assert.equal(await eventually(() => Promise.resolve(''), { what: 'an answer' }), '');
});

test('what the predicate throws counts as not yet', async () => {
  let calls = 0;
  const predicate = (): string => {
    calls += 1;
    if (calls < 3) throw new Error('too early');
    return 'now';
  };
  assert.equal(await eventually(predicate, { what: 'an answer', intervalMs: 1 }), 'now');
});

test('the error says what was waited for and why it failed last', async () => {
  const never = (): boolean => {
    throw new Error('still closed');
  };
  await assert.rejects(eventually(never, { what: 'the port opens', timeoutMs: 20, intervalMs: 5 }), (error: Error) => {
    assert.equal(error.message, 'not within 20 ms: the port opens (last: still closed)');
    assert.equal((error.cause as Error).message, 'still closed');
    return true;
  });
});

test('where nothing was thrown the error says what was waited for alone', async () => {
  const options = { what: 'the port opens', timeoutMs: 20, intervalMs: 5 };
  await assert.rejects(
    eventually(() => false, options),
    { message: 'not within 20 ms: the port opens' },
  );
});

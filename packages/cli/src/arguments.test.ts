import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choice, moment, wholeNumber } from './arguments.js';
import { collect } from './pages.js';
import { NOW_US } from './testing/samples.js';

test('moments: ages and dates, UTC unless they say otherwise', () => {
  assert.equal(moment('--since', '90m', NOW_US), NOW_US - 5_400_000_000n);
  assert.equal(moment('--since', '2026-03-01T12:00', 0n), NOW_US);
  assert.equal(moment('--since', '2026-03-01 12:00:00', 0n), NOW_US);
  assert.equal(moment('--since', '2026-03-01T13:00+01:00', 0n), NOW_US);
  assert.equal(moment('--since', '2026-03-01', 0n), NOW_US - 43_200_000_000n);
  for (const bad of ['', 'yesterday', '12', '2026-13-01', '-5m', '2026-03-01T25:00'])
    assert.throws(() => moment('--since', bad, NOW_US), { code: 'INVALID_ARGUMENT', field: '--since' }, bad);
});

test('numbers and choices name the flag and what it takes', () => {
  assert.equal(wholeNumber('--limit', 1, 10)('10'), 10);
  for (const bad of ['0', '11', '1.5', '-1', '', '1e1'])
    assert.throws(() => wholeNumber('--limit', 1, 10)(bad), /--limit takes a whole number from 1 to 10/, bad);
  const values = { UNSPECIFIED: 0, DEEP_TEST: 4, UNRECOGNIZED: -1 };
  assert.equal(choice('--state', values, 'deep-test'), 4);
  for (const bad of ['unspecified', 'unrecognized', 'x', ''])
    assert.throws(() => choice('--state', values, bad), /--state takes one of deep-test, not/, bad);
});

test('pages are followed to the limit, over empty ones, and not for ever', async () => {
  const asked: number[] = [];
  const found = await collect(5, async (token, wanted) => {
    asked.push(wanted);
    const n = Number(token);
    return { items: n === 1 ? [] : [n, n], nextPageToken: String(n + 1) };
  });
  assert.deepEqual(
    [found, asked],
    [
      [0, 0, 2, 2, 3],
      [5, 3, 3, 1],
    ],
  );
  let pages = 0;
  await collect(5, async () => {
    pages += 1;
    return { items: [], nextPageToken: 'again' };
  });
  assert.equal(pages, 1000);
});

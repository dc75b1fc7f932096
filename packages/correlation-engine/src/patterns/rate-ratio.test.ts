import assert from 'node:assert/strict';
import { it } from 'node:test';
import { rateRatio } from './rate-ratio.js';

const close = (actual: number | undefined, expected: number, relative: number): void =>
  assert.ok(actual !== undefined && Math.abs(actual / expected - 1) < relative, `${actual}, expected ${expected}`);

it('gives the exact interval of a ratio of rates', () => {
  // 8 of 10 failures in half of the time: Clopper-Pearson of 8/10 is [0.44390, 0.97479].
  const found = rateRatio({ executions: 1000, failures: 8 }, { executions: 1000, failures: 2 }, 0.95);
  close(found?.ratio, 4, 1e-12);
  close(found?.low, 0.4439 / 0.5561, 1e-3);
  close(found?.high, 0.97479 / 0.02521, 1e-2);
  close(found?.pValue, 56 / 1024, 1e-9);
});

it('is the same for another unit of exposure', () => {
  const once = rateRatio({ executions: 100, failures: 5 }, { executions: 900, failures: 3 }, 0.95);
  const tenfold = rateRatio({ executions: 1000, failures: 5 }, { executions: 9000, failures: 3 }, 0.95);
  close(tenfold?.low, once?.low ?? 0, 1e-9);
  close(tenfold?.high, once?.high ?? 0, 1e-9);
});

it('says nothing without executions or failures, and is open where one side never failed', () => {
  const none = { executions: 0, failures: 0 };
  const clean = { executions: 10, failures: 0 };
  assert.equal(rateRatio(none, { executions: 10, failures: 1 }, 0.95), undefined);
  assert.equal(rateRatio(clean, clean, 0.95), undefined);
  const one = rateRatio({ executions: 10, failures: 4 }, clean, 0.95);
  assert.equal(one?.high, Number.POSITIVE_INFINITY);
  assert.ok((one?.low ?? 0) > 0);
  assert.equal(rateRatio(clean, { executions: 10, failures: 4 }, 0.95)?.low, 0);
});

it('the score interval of many failures continues the exact one', () => {
  const exact = rateRatio({ executions: 1e6, failures: 1200 }, { executions: 1e6, failures: 800 }, 0.95);
  const score = rateRatio({ executions: 1e6, failures: 1201 }, { executions: 1e6, failures: 800 }, 0.95);
  close(score?.low, exact?.low ?? 0, 5e-3);
  close(score?.high, exact?.high ?? 0, 5e-3);
});

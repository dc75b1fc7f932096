import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ReceiveClock, SETTLE_US } from './receive-clock.js';

const START_US = 1_700_000_000e6;
const YEAR_US = 365 * 86_400e6;

function clock() {
  const at = { wall: START_US, monotonic: 5e6 };
  const jumps: number[] = [];
  const source = { wallUs: () => at.wall, monotonicUs: () => at.monotonic };
  const receive = new ReceiveClock(source, (aheadUs) => jumps.push(aheadUs));
  const pass = (us: number): void => {
    at.wall += us;
    at.monotonic += us;
  };
  return { at, jumps, pass, now: () => receive.nowUs() - START_US };
}

it('follows the clock, its corrections, and its drift over months', () => {
  const { at, jumps, pass, now } = clock();
  pass(7e6);
  assert.equal(now(), 7e6);
  at.wall -= 30e6;
  assert.equal(now(), -23e6);
  pass(YEAR_US);
  at.wall += 4 * 3_600e6;
  assert.equal(now(), YEAR_US + 4 * 3_600e6 - 23e6);
  assert.deepEqual(jumps, []);
});

it('goes on as before while the clock is wrong for a moment, ahead or back', () => {
  for (const wrong of [10 * YEAR_US, -10 * YEAR_US]) {
    const { at, jumps, pass, now } = clock();
    pass(1e6);
    at.wall += wrong;
    assert.equal(now(), 1e6);
    pass(SETTLE_US - 1e6);
    assert.equal(now(), SETTLE_US);
    at.wall -= wrong;
    pass(1e6);
    assert.equal(now(), SETTLE_US + 1e6);
    assert.deepEqual(jumps, [wrong]);
  }
});

it('believes a clock that stands by its time', () => {
  const { at, jumps, pass, now } = clock();
  at.wall += 3_600e6;
  assert.equal(now(), 0);
  pass(SETTLE_US / 2);
  at.wall += 3_600e6;
  assert.equal(now(), SETTLE_US / 2, 'another time: it waits again');
  pass(SETTLE_US);
  assert.equal(now(), 2 * 3_600e6 + 1.5 * SETTLE_US);
  assert.deepEqual(jumps, [3_600e6, 2 * 3_600e6]);
});

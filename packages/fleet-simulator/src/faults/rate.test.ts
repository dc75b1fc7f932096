import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Random } from '../random.js';
import { parseScenario } from '../scenario/read.js';
import { HOUR_US, ORIGIN_US } from '../world/environment.js';
import { FailureRate } from './rate.js';

/** A fault that acts in bursts of half an hour, ten hours apart. */
function burstsOf(seed: number): FailureRate {
  const fault = '{ kind: unit, gpu: 0, rate: 1e-2, bursts_per_hour: 0.1, burst_ends_per_hour: 2 }';
  const scenario = parseScenario('rate.yaml', `name: rate\nhours: 1\nfaults: [${fault}]`);
  const [spec] = scenario.faults;
  if (spec === undefined) throw new Error('no fault');
  const times = { originUs: ORIGIN_US, onsetUs: ORIGIN_US };
  return new FailureRate(spec, scenario.environment, new Random(seed, 'rate'), times);
}

const MINUTE_US = HOUR_US / 60;
const MINUTES = Array.from({ length: 2000 * 60 }, (_, minute) => ORIGIN_US + minute * MINUTE_US);

it('what a fault does at a time does not depend on when it is asked for', () => {
  const forwards = burstsOf(1);
  const backwards = burstsOf(1);
  const seen = MINUTES.map((us) => forwards.at(us));
  const again = MINUTES.toReversed()
    .map((us) => backwards.at(us))
    .toReversed();
  assert.deepEqual(again, seen);
});

it('bursts take the share of time that their rates say', () => {
  const bursts = burstsOf(2);
  const share = MINUTES.filter((us) => bursts.at(us) > 0).length / MINUTES.length;
  // 0.1 / (0.1 + 2), of 190 bursts.
  assert.ok(Math.abs(share - 1 / 21) < 0.015, `${share}`);
});

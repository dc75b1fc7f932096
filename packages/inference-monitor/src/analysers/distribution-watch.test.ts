import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { type DistributionOptions, DistributionWatch } from './distribution-watch.js';

const CHART = { lambda: 0.2, limit: 4.8, reference: 60 };
const OPTIONS: DistributionOptions = {
  ...{ strategy: 'quantile', bins: 64, maxBins: 16, symmetric: true, samples: 1_000, interval: 1, chart: CHART },
};
const PER_BLOCK = 100;

function runner(watch: () => DistributionWatch, seed: number, draw: (random: Random) => number) {
  const random = new Random(seed);
  let block = 0;
  return (blocks: number, change: (value: number) => number = (value) => value) => {
    const found = Array.from({ length: blocks }, () => {
      for (let k = 0; k < PER_BLOCK; k += 1) watch().add(change(draw(random)));
      block += 1;
      return watch().close(block, PER_BLOCK);
    });
    return found;
  };
}

const normal = (random: Random) => random.normal();

test('bins are laid out, a reference is learnt, and then another spread with the same mean is found', () => {
  const watch = new DistributionWatch(OPTIONS);
  const run = runner(() => watch, 1, normal);
  assert.ok(run(10 + 60).every((moved) => moved === null));
  assert.ok(run(50).every((moved) => moved !== null && moved.drift === null));
  const found = run(10, (value) => 2 * value);
  assert.ok(found.some((moved) => moved?.drift?.first === true));
  assert.ok((found.at(-1)?.distance.nats ?? 0) > 0.1);
});

test('values that come in crowds, as of one prompt asked again and again, are no drift', () => {
  const watch = new DistributionWatch(OPTIONS);
  const random = new Random(2);
  let [left, value] = [0, 0];
  const crowd = () => {
    if (left === 0) [left, value] = [1 + random.integer(20), random.normal()];
    left -= 1;
    return value;
  };
  const run = runner(() => watch, 2, crowd);
  run(70);
  assert.equal(run(200).filter((moved) => moved?.drift?.first === true).length, 0);
});

test('in an alarm no other reference is learnt', () => {
  const watch = new DistributionWatch(OPTIONS);
  const run = runner(() => watch, 3, normal);
  run(70);
  run(20, (value) => 2 * value);
  const { reference } = watch.state;
  run(100, (value) => 2 * value);
  assert.deepEqual(watch.state.reference, reference);
  run(100);
  assert.notDeepEqual(watch.state.reference, reference);
});

test('a watch that goes on from its state, kept as text, finds the same', () => {
  const whole = new DistributionWatch(OPTIONS);
  let restarted = new DistributionWatch(OPTIONS);
  const [one, two] = [runner(() => whole, 4, normal), runner(() => restarted, 4, normal)];
  for (let stretch = 0; stretch < 12; stretch += 1) {
    const change = (value: number) => (stretch > 10 ? 2 * value : value);
    assert.deepEqual(two(13, change), one(13, change));
    restarted = new DistributionWatch(OPTIONS, JSON.parse(JSON.stringify(restarted.state)));
  }
  assert.equal(whole.state.reference.length, 16);
});

test('blocks that are too small are not counted; equal values have no distribution', () => {
  const watch = new DistributionWatch(OPTIONS);
  runner(() => watch, 5, normal)(20);
  const before = watch.state.window.length;
  watch.add(1);
  watch.close(99, 0);
  assert.equal(watch.state.window.length, before);
  const constant = new DistributionWatch(OPTIONS);
  assert.ok(
    runner(
      () => constant,
      6,
      () => 3,
    )(300).every((moved) => moved === null),
  );
});

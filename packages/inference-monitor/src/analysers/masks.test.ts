import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@sentinel/monitor-kit/testing/random';
import { withoutMasked } from './masks.js';
import { ModelAnalysis } from './model-analysis.js';
import { sampleOf, shortLimits } from './testing/limits.js';

const FLOAT32_LEAST = -3.4028234663852886e38;
const MASKS = [FLOAT32_LEAST, 1e9];
const BLOCK_US = 10e6;

const outputOf = (min: number, max: number) => ({ name: 'o', elements: 100, nonfinite: 0, min, max, mean: max / 100 });

test('an output that holds a mask, or what it becomes in bfloat16, has no range and no mean; others are as they were', () => {
  const inBfloat16 = 999_292_928;
  const [least, largest, rounded, other, near] = withoutMasked(
    [outputOf(FLOAT32_LEAST, 1), outputOf(0, 1e9), outputOf(0, inBfloat16), outputOf(-2, 5), outputOf(0, 1.01e9)],
    MASKS,
  );
  const unknown = { ...outputOf(0, 0), min: undefined, max: undefined, mean: undefined };
  assert.deepEqual([least, largest, rounded], [unknown, unknown, unknown]);
  assert.deepEqual([other, near], [outputOf(-2, 5), outputOf(0, 1.01e9)]);
});

test('without masks everything is charted', () => {
  const outputs = [outputOf(FLOAT32_LEAST, 1e9)];
  assert.equal(withoutMasked(outputs, []), outputs);
});

test('a sound model that masks one answer in fifty is told of nothing, and an error of another size is told', () => {
  const found = (masks: readonly number[], error: number) => {
    const limits = shortLimits();
    const analysis = new ModelAnalysis({ ...limits, output_range: { ...limits.output_range, mask_values: masks } });
    const random = new Random(7);
    const findings = Array.from({ length: 20_000 }, (_, k) => {
      const usual = 0.9 + 0.1 * random.next();
      const masked = k % 50 === 49 ? 1e9 : usual;
      const value = k === 19_990 ? error : masked;
      return analysis.take({ ...sampleOf({}, k * (BLOCK_US / 40)), outputs: [outputOf(0, value)] });
    }).flat();
    return findings.map(({ detector }) => detector);
  };
  assert.ok(found([], 1).filter((detector) => detector === 'range').length > 100, 'not declared');
  assert.deepEqual(found(MASKS, 1), []);
  assert.deepEqual(found(MASKS, 65_536), ['range']);
});

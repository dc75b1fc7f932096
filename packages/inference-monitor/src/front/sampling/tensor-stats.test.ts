import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statsOfBytes, statsOfValues } from './tensor-stats.js';

const tensor = (datatype: string) => ({ name: 'y', datatype, elements: -1 });

test('each type of number is read as KServe v2 writes it', () => {
  const cases: [string, Uint8Array][] = [
    ['FP32', new Uint8Array(Float32Array.of(1, -2, 4).buffer)],
    ['FP64', new Uint8Array(Float64Array.of(1, -2, 4).buffer)],
    ['FP16', new Uint8Array(Float16Array.of(1, -2, 4).buffer)],
    ['BF16', Uint8Array.of(0x80, 0x3f, 0x00, 0xc0, 0x80, 0x40)],
    ['INT64', new Uint8Array(BigInt64Array.of(1n, -2n, 4n).buffer)],
    ['INT8', new Uint8Array(Int8Array.of(1, -2, 4).buffer)],
  ];
  for (const [datatype, data] of cases) {
    const { elements, nonfinite, min, max, mean } = statsOfBytes(tensor(datatype), data);
    assert.deepEqual([elements, nonfinite, min, max, mean], [3n, 0n, -2, 4, 1], datatype);
  }
});

test('what is not finite is counted and left out of the rest', () => {
  const data = new Uint8Array(Float32Array.of(Number.NaN, 3, Number.POSITIVE_INFINITY).buffer);
  const { elements, nonfinite, min, max } = statsOfBytes(tensor('FP32'), data);
  assert.deepEqual([elements, nonfinite, min, max], [3n, 2n, 3, 3]);
});

test('all of a large tensor is looked at, and its mean does not overflow', () => {
  const large = new Float32Array(500_000).fill(1);
  large[499_999] = Number.NaN;
  assert.equal(statsOfBytes(tensor('FP32'), new Uint8Array(large.buffer)).nonfinite, 1n);
  assert.equal(statsOfValues(tensor('FP64'), [1.5e308, 1.5e308, 1.5e308]).mean, 1.5e308);
});

test('of text, and of nothing, the count alone is told', () => {
  assert.deepEqual(statsOfBytes({ name: 'y', datatype: 'BYTES', elements: 2 }, Uint8Array.of(1, 2)).elements, 2n);
  const { elements, min } = statsOfValues(tensor('FP32'), []);
  assert.deepEqual([elements, min], [0n, undefined]);
});

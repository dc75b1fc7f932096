/** A value with four decimals differs from the nearest float32 by no more, in units of the fourth. */
const DECIMALS = 1e4;
const PRINTED = 0.02;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/**
 * Were all these numbers rounded to bfloat16 or float16, or to four decimals or fewer? Then sums of probabilities miss 1 by up to 0.01, whatever
 * computes them. Numbers of full precision are hardly ever all so.
 */
export function isCoarse(values: Iterable<number>): boolean {
  let [brain, half, decimal] = [true, true, true];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    brain &&= isBfloat16(value);
    half &&= Math.f16round(value) === Math.fround(value);
    decimal &&= Math.abs(value * DECIMALS - Math.round(value * DECIMALS)) < PRINTED;
    if (!(brain || half || decimal)) return false;
  }
  return true;
}

/** The first half of a float32 (https://cloud.google.com/tpu/docs/bfloat16). */
function isBfloat16(value: number): boolean {
  float[0] = value;
  return ((bits[0] ?? 0) & 0xffff) === 0;
}

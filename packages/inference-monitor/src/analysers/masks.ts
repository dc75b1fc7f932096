import type { OutputStats } from './sample.js';

/** Rounding of a mask to bfloat16, the coarsest type that outputs have: half a unit in its 8th significant bit. */
const ROUNDING = 2 ** -8;

/**
 * Outputs as they are charted. One whose least or largest value is a mask says nothing of its other values, as its mean holds the
 * mask too: what is not finite is all that is left of it.
 * @param masks values that outputs hold by design (output_range.mask_values)
 */
export function withoutMasked(outputs: readonly OutputStats[], masks: readonly number[]): readonly OutputStats[] {
  if (masks.length === 0) return outputs;
  const isMask = (value = Number.NaN): boolean =>
    masks.some((mask) => Math.abs(value / mask - 1) <= ROUNDING || value === mask);
  return outputs.map((output) => {
    if (!isMask(output.min) && !isMask(output.max)) return output;
    return { ...output, min: undefined, max: undefined, mean: undefined };
  });
}

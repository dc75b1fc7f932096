import { ProbeFamily } from '@sentinel/contracts/sentinel/v1/common.js';
import type { Observation } from '@sentinel/contracts/sentinel/v1/health.js';

const NAMES: Readonly<Record<number, string>> = {
  [ProbeFamily.FMA32]: 'fma32',
  [ProbeFamily.INT_AES]: 'int_aes',
  [ProbeFamily.FMA64]: 'fma64',
  [ProbeFamily.CPU_REG]: 'cpu_reg',
  [ProbeFamily.CPU_MEM]: 'cpu_mem',
  [ProbeFamily.FMA16]: 'fma16',
  [ProbeFamily.CPU_LIBM]: 'cpu_libm',
  [ProbeFamily.CPU_BF16]: 'cpu_bf16',
};

/** Observations as the lines that tests/interop/recompute_mismatch.py reads. */
export function mismatchLines(observations: readonly Observation[]): string {
  return observations.map((seen) => `${JSON.stringify(mismatch(seen))}\n`).join('');
}

function mismatch({ family, epoch, index, lane, iteration, operands, expected, actual }: Observation) {
  const words = Math.max(expected.length, actual.length);
  const differing = Array.from({ length: words }, (_, k) => ((expected[k] ?? 0) ^ (actual[k] ?? 0)) >>> 0);
  return {
    family: NAMES[family] ?? String(family),
    epoch,
    index,
    lane,
    iteration,
    operands,
    expected,
    actual,
    differing_bits: differing,
  };
}

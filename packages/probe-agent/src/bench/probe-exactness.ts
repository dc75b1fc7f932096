import { createRequire } from 'node:module';
import { bench } from '@sentinel/bench-kit';
import { addonPath, type NativeTestProbes } from '@sentinel/native-probes';

const VECTORS = 100_000_000;
const QUICK_VECTORS = 10_000_000;
/** Big integers are slower than instructions. */
const SLOWER = 10;
/** Of one call, which is synchronous. */
const STEP = 10_000_000;
const FAMILIES = ['fma32', 'fma64', 'fma16', 'bf16'] as const;

/**
 * The integer arithmetic that makes the goldens, on vectors of the eight operand classes: of single and double precision against
 * the instructions of this CPU, of the half precisions against big integers.
 */
export default bench({
  name: 'probe-exactness',
  async run({ quick, log }) {
    const probes = createRequire(import.meta.url)(addonPath({ test: true })) as NativeTestProbes;
    const figures: Record<string, number> = {};
    for (const family of FAMILIES) {
      const wanted = (quick ? QUICK_VECTORS : VECTORS) / (family === 'fma16' || family === 'bf16' ? SLOWER : 1);
      const { vectors, mismatches } = checked(probes, family, wanted, log);
      figures[`${family}_mismatches`] = mismatches;
      if (!quick) figures[`${family}_vectors`] = vectors;
    }
    return { figures, notRun: quick ? FAMILIES.map((family) => `${family}_vectors`) : [] };
  },
});

function checked(
  probes: NativeTestProbes,
  family: (typeof FAMILIES)[number],
  wanted: number,
  log: (line: string) => void,
): { vectors: number; mismatches: number } {
  const sum = { vectors: 0, mismatches: 0 };
  for (let epoch = 1; sum.vectors < wanted; epoch += 1) {
    const report = probes.exactness({ family, vectors: Math.min(STEP, wanted - sum.vectors), epoch });
    sum.vectors += report.vectors;
    sum.mismatches += report.mismatches;
    if (report.first !== null) log(`${family}: ${JSON.stringify({ ...report.first, epoch })}`);
  }
  log(`${family}: ${sum.vectors} vectors, ${sum.mismatches} words differ`);
  return sum;
}

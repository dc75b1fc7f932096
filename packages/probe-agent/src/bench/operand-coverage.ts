import { createRequire } from 'node:module';
import { bench } from '@sentinel/bench-kit';
import { addonPath, type CoverageReport, type CoverageRequest, type NativeTestProbes } from '@sentinel/native-probes';

const EPOCHS = 16;
const QUICK_EPOCHS = 2;
const CPU_LANES = [0, 1, 2, 3, 4, 5, 6, 7];
const CPU_ITERATIONS = 1_024;
const GPU_LANES_OF_A_WARP = 32;
const GPU_ITERATIONS = 512;
/** Class 0 of the eight operand classes alone: uniform bits. */
const UNIFORM = { iterations: 8 * CPU_ITERATIONS, step: 8 };

/** Places of a product in a tile. */
const PLACES = [0, 5, 18, 31, 44, 63];
const FP16_ITERATIONS = 448;
const BF16_ITERATIONS = 256;

interface Slice {
  readonly family?: CoverageRequest['family'];
  readonly iterations: number;
  readonly step?: number;
}

/**
 * Gate-level fault simulation: which stuck-at and transition faults of a multiplier one execution's operands would show in the results
 * of a single physical lane. The figures are those of the worst lane and seed.
 */
export default bench({
  name: 'operand-coverage',
  async run({ quick, log }) {
    const probes = createRequire(import.meta.url)(addonPath({ test: true })) as NativeTestProbes;
    const epochs = Array.from({ length: quick ? QUICK_EPOCHS : EPOCHS }, (_, k) => 1 + k * 1_000_003);
    const over = (lanes: readonly number[][], rest: Slice) =>
      worst(
        epochs.flatMap((epoch) =>
          lanes.map((list) => probes.multiplierCoverage({ family: 'fma32', epoch, lanes: list, ...rest })),
        ),
      );
    const cpu = over(
      CPU_LANES.map((lane) => [lane]),
      { iterations: CPU_ITERATIONS },
    );
    const gpu = over(gpuLanes(quick), { iterations: GPU_ITERATIONS });
    const uniform = over([[0]], UNIFORM);
    const tensor = over(
      PLACES.map((place) => [place]),
      { family: 'tc_fp16', iterations: FP16_ITERATIONS },
    );
    const bf16 = over(
      PLACES.map((place) => [place]),
      { family: 'tc_bf16', iterations: BF16_ITERATIONS },
    );
    log(`${epochs.length} seeds; an fp32 multiplier of ${cpu.faults / 2} gates`);
    log(`uniform bits alone, as many vectors: ${uniform.stuckAt.toFixed(2)} % stuck-at`);
    const figures = {
      fp32_stuck_at_pct: cpu.stuckAt,
      fp32_transition_pct: cpu.transition,
      gpu_fp32_stuck_at_pct: gpu.stuckAt,
      gpu_fp32_transition_pct: gpu.transition,
      tensor_11x11_stuck_at_pct: tensor.stuckAt,
      tensor_11x11_transition_pct: tensor.transition,
      tensor_8x8_stuck_at_pct: bf16.stuckAt,
      tensor_8x8_transition_pct: bf16.transition,
      uniform_fp32_stuck_at_pct: uniform.stuckAt,
    };
    return { figures };
  },
});

/** Both logical lanes of each physical one. */
function gpuLanes(quick: boolean): number[][] {
  const lanes = Array.from({ length: GPU_LANES_OF_A_WARP }, (_, lane) => [lane, lane + GPU_LANES_OF_A_WARP]);
  return quick ? lanes.slice(0, CPU_LANES.length) : lanes;
}

function worst(reports: readonly CoverageReport[]): { faults: number; stuckAt: number; transition: number } {
  const least = (of: (report: CoverageReport) => number) =>
    Math.min(...reports.map((report) => (100 * of(report)) / report.faults));
  return {
    faults: reports[0]?.faults ?? 0,
    stuckAt: least(({ stuckAtFound }) => stuckAtFound),
    transition: least(({ transitionFound }) => transitionFound),
  };
}

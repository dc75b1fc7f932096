/**
 * A benchmark is a module `tests/src/bench/NAME.ts` or `packages/PACKAGE/src/bench/NAME.ts` whose default export is `bench({ … })`.
 * `npm run bench -- NAME [--quick]` runs it and judges its figures by docs/goals.json; a benchmark itself knows no goal.
 */
export { type Bench, type BenchContext, type BenchOutcome, bench } from './bench.js';
export { processCpuMilliseconds } from './cpu.js';
export { cpuMicroseconds, median } from './measure.js';
export { residentMegabytes } from './memory.js';

/** What the devices of one node ran within an hour, until the ledger is told. Replaced as a whole, never mutated: it is saved with each batch. */
export interface CoverageHour {
  /** Hours since 1970, event time. */
  readonly hour: number;
  readonly testBuild: boolean;
  readonly gpus: readonly string[];
  readonly cells: readonly CoverageCell[];
}

/** Place in `gpus`, family; runs; executions that passed, failed and did not happen; most SMs in one run. */
export type CoverageCell = readonly [
  gpu: number,
  family: number,
  runs: number,
  pass: number,
  fail: number,
  notRun: number,
  sms: number,
];

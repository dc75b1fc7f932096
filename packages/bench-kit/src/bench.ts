/** What a benchmark gets from the runner. */
export interface BenchContext {
  /** Run only the slice that ends within 50 s, and name what was left out in `notRun`. */
  readonly quick: boolean;
  /** Arguments after the benchmark's name that the runner does not know. */
  readonly args: readonly string[];
  /** An empty folder of its own, removed afterwards. */
  readonly folder: string;
  /** A line of progress for the person who waits. */
  log(line: string): void;
}

export interface BenchOutcome {
  /** Measured values under the names that docs/goals.json gives them, in the units it states. */
  readonly figures: Readonly<Record<string, number>>;
  /** Names of figures that this run did not measure. */
  readonly notRun?: readonly string[];
}

export interface Bench {
  readonly name: string;
  run(context: BenchContext): Promise<BenchOutcome>;
}

/** Declares a benchmark; the module's file name must be its name. */
export function bench(definition: Bench): Bench {
  return definition;
}

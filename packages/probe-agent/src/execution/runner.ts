import { ProbeResult } from '@sentinel/contracts/sentinel/v1/common.js';
import type { GoldenDispute } from '@sentinel/native-probes';
import type { Clock } from '@sentinel/service-kit/clock';
import type { ProbeTolerances } from '@sentinel/service-kit/config';
import { failingSms } from '../reporting/siblings.js';
import type { DirectiveBook } from '../scheduler/directives.js';
import type { Charge, Now, Planner, Work } from '../scheduler/planner.js';
import { type Executor, execute } from './execute.js';
import { investigate } from './investigate.js';
import { executed, type ProbeRun } from './run.js';

/** Pause after a launch that could not be prepared. */
const AFTER_PROBLEM_MS = 1_000;

export interface RunnerParts {
  readonly planner: Planner;
  readonly directives: DirectiveBook;
  readonly executor: Executor;
  readonly smsOf: (deviceId: string) => readonly number[];
  /** Every launch, as it ends. */
  readonly onRun: (run: ProbeRun) => void;
  /** Takes over the runs of one seed; probing waits until it returns. */
  readonly report: (group: readonly ProbeRun[]) => Promise<void>;
  /** A launch could not be prepared, e.g. for want of disk space; it is tried again. */
  readonly onProblem: (error: unknown) => void;
  readonly onDispute: (work: Work, dispute: GoldenDispute) => void;
  /** CPU time that the goldens of GPUs took. */
  readonly onGoldens: (charges: readonly Charge[]) => void;
  readonly tolerances: Pick<ProbeTolerances, 'siblings' | 'reruns'>;
}

/** The probing loop of one lane: asks its planner, launches, investigates mismatches, reports. One launch at a time. */
export class Runner {
  readonly #parts: RunnerParts;
  #stopping = false;
  #woken = false;
  #wake: () => void = () => {};
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Something may have become due. */
  wake(): void {
    // It may look right now, and be about to sleep.
    this.#woken = true;
    this.#wake();
  }

  /** Ends after the launch in progress has been reported. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#woken = false;
      const waitMs = await this.#step();
      if (waitMs > 0 && !this.#stopping && !this.#woken) await this.#sleep(waitMs);
    }
  }

  /** One launch, or how long to wait. */
  async #step(): Promise<number> {
    try {
      const decision = this.#parts.planner.next(now(this.#parts.executor.clock));
      if ('waitMs' in decision) return decision.waitMs;
      await this.#carryOut(decision.work);
      return 0;
    } catch (error) {
      this.#parts.onProblem(error);
      return AFTER_PROBLEM_MS;
    }
  }

  async #carryOut(work: Work): Promise<void> {
    const first = await this.#launch(work);
    this.#settleDirective(work, first);
    const group =
      failingSms(first).length > 0
        ? await investigate(work, first, this.#parts, (next) => this.#launch(next))
        : [first];
    await this.#parts.report(group);
  }

  async #launch(work: Work): Promise<ProbeRun> {
    const { executor, planner, onRun, onDispute, onGoldens } = this.#parts;
    const { run, charges, goldenCharges, dispute } = await execute(work, executor);
    if (dispute !== null) onDispute(work, dispute);
    onGoldens(goldenCharges);
    planner.charge(work.pool, work.family, charges, executor.clock.monotonicMs());
    onRun(run);
    return run;
  }

  #settleDirective(work: Work, run: ProbeRun): void {
    if (work.directiveId === null) return;
    const monoMs = this.#parts.executor.clock.monotonicMs();
    if (run.results.some(executed)) {
      const failed = run.results.some(({ result }) => result === ProbeResult.FAIL);
      this.#parts.directives.executed(work.directiveId, failed, monoMs);
    } else {
      this.#parts.directives.couldNotRun(work.directiveId, run.results[0]?.reason ?? 'no result', monoMs);
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = () => {};
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
    });
  }
}

function now(clock: Clock): Now {
  return { wallMs: Number(clock.nowUs() / 1000n), monoMs: clock.monotonicMs() };
}

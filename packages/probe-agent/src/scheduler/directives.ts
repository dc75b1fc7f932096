import type { FamilyName } from '../families.js';

/** Directives that are carried out at one time. */
export const MAX_ACTIVE_DIRECTIVES = 1_024;

/** Finished directives that are remembered, so that a repeated one is answered and not run again. */
export const MAX_REMEMBERED_DIRECTIVES = 4_096;

export type DirectiveKind = 'canary' | 'burst' | 'follow_up' | 'deep_test';

/** Executions that could not run, in a row, after which a directive gives up. */
export const MAX_FAILED_STARTS = 60;

/** Pause after an execution that could not run. */
const RETRY_MS = 1_000;

const GIVEN_UP = 'given up: ';

/** A progress message per so many executions, besides the first, every failing one and the last. */
const PROGRESS_EVERY = 50;

export interface Unit {
  readonly family: FamilyName;
  readonly sm: number;
}

/** A number of executions of one unit, `intervalMs` apart; what is late is made up for. */
export interface Step extends Unit {
  readonly executions: number;
  readonly intervalMs: number;
}

/** Executions of `units` in turn for `durationMs`, `intervalMs` apart; what is late is left out. */
export interface Sweep {
  readonly units: readonly Unit[];
  readonly durationMs: number;
  readonly intervalMs: number;
}

/** One launch on all SMs of the device, with a seed that other devices execute as well. */
export interface Canary {
  readonly family: FamilyName;
  readonly sms: readonly number[];
  readonly epoch: number;
  readonly index: number;
}

/** A directive in the agent's terms. */
export interface DirectivePlan {
  readonly id: string;
  readonly deviceId: string;
  readonly kind: DirectiveKind;
  /** One after the other. */
  readonly steps: readonly Step[];
  /** After the steps; null = nothing. */
  readonly sweep: Sweep | null;
  /** In the place of steps and sweep. */
  readonly canary?: Canary;
  /** SMs that executions of steps cover while the device is cool: what they compute heats it. */
  readonly warmingSms?: readonly number[];
}

export type DirectiveState = 'accepted' | 'running' | 'done' | 'refused';

export interface Progress {
  readonly id: string;
  readonly state: DirectiveState;
  readonly executions: number;
  readonly failures: number;
  readonly reason: string;
}

export interface DirectedUnit extends Unit {
  readonly directiveId: string;
  readonly deviceId: string;
  readonly kind: DirectiveKind;
  readonly dueMs: number;
  /** The launch is this one, not one of the unit alone. */
  readonly canary?: Canary;
  /** All of them instead of the unit alone while the device is cool. */
  readonly warmingSms?: readonly number[];
}

interface Active {
  plan: DirectivePlan;
  step: number;
  stepDone: number;
  stepStartMs: number;
  sweepEndMs: number | undefined;
  sweepNext: number;
  notBeforeMs: number;
  failedStarts: number;
  executions: number;
  failures: number;
}

const ORDER: Readonly<Record<DirectiveKind, number>> = { canary: 0, burst: 1, follow_up: 2, deep_test: 3 };

/** What the engine asked for and how far it is. Pure: time comes as an argument, progress goes out through `onProgress`. */
export class DirectiveBook {
  readonly #active = new Map<string, Active>();
  readonly #finished = new Map<string, Progress>();
  readonly #onProgress: (progress: Progress) => void;

  constructor(onProgress: (progress: Progress) => void) {
    this.#onProgress = onProgress;
  }

  /**
   * Takes a directive on. One that is known already is answered with its progress, with exceptions: units that are new to a deep test under
   * way join it; a finished one of which units remain, and a burst or follow-up that was given up, are taken up again.
   */
  accept(plan: DirectivePlan, nowMs: number): void {
    const again = this.#isOwed(plan) && this.#finished.delete(plan.id);
    const known = this.progress(plan.id);
    if (known !== undefined && !again) {
      this.#join(plan);
      this.#onProgress(known);
      return;
    }
    if (this.#active.size >= MAX_ACTIVE_DIRECTIVES) {
      this.refuse(plan.id, `the agent already carries out ${MAX_ACTIVE_DIRECTIVES} directives`);
      return;
    }
    const active: Active = {
      plan,
      step: 0,
      stepDone: 0,
      stepStartMs: nowMs,
      sweepEndMs: undefined,
      sweepNext: 0,
      notBeforeMs: nowMs,
      failedStarts: 0,
      executions: 0,
      failures: 0,
    };
    this.#active.set(plan.id, active);
    this.#onProgress(progressOf(active, 'accepted'));
    this.#settle(active, nowMs);
  }

  refuse(id: string, reason: string): void {
    this.#onProgress({ id, state: 'refused', executions: 0, failures: 0, reason });
  }

  /** Ends a directive early; what it found until then counts. */
  cancel(id: string): void {
    const active = this.#active.get(id);
    if (active !== undefined) this.#finish(active, 'cancelled by the engine');
  }

  progress(id: string): Progress | undefined {
    const active = this.#active.get(id);
    return active === undefined ? this.#finished.get(id) : progressOf(active, stateOf(active));
  }

  active(): Progress[] {
    return [...this.#active.values()].map((active) => progressOf(active, stateOf(active)));
  }

  /** The next execution of each active directive, soonest kind first; some may not be due yet. */
  next(nowMs: number): DirectedUnit[] {
    for (const active of this.#active.values()) this.#settle(active, nowMs);
    return [...this.#active.values()]
      .map((active) => nextUnit(active))
      .sort((a, b) => ORDER[a.kind] - ORDER[b.kind] || a.dueMs - b.dueMs);
  }

  /** Records that the unit which `next` gave for this directive has executed. */
  executed(directiveId: string, failed: boolean, nowMs: number): void {
    const active = this.#active.get(directiveId);
    if (active === undefined) return;
    advance(active, nowMs);
    active.failedStarts = 0;
    active.executions += 1;
    if (failed) active.failures += 1;
    if (failed || active.executions === 1 || active.executions % PROGRESS_EVERY === 0) {
      this.#onProgress(progressOf(active, 'running'));
    }
    this.#settle(active, nowMs);
  }

  /** Records that it could not run: an execution of a step is owed still and tried again later. */
  couldNotRun(directiveId: string, reason: string, nowMs: number): void {
    const active = this.#active.get(directiveId);
    if (active === undefined) return;
    active.failedStarts += 1;
    active.notBeforeMs = nowMs + RETRY_MS;
    // The other devices of a canary do not wait.
    if (active.failedStarts >= MAX_FAILED_STARTS || active.plan.canary !== undefined)
      this.#finish(active, `${GIVEN_UP}${reason}`);
  }

  /** Though it is finished: whoever asks again is missing what did not run. A canary is over by then. */
  #isOwed({ id, kind, steps }: DirectivePlan): boolean {
    if (kind === 'deep_test') return steps.length > 0;
    return kind !== 'canary' && this.#finished.get(id)?.reason.startsWith(GIVEN_UP) === true;
  }

  #join(plan: DirectivePlan): void {
    const active = this.#active.get(plan.id);
    if (active === undefined || plan.kind !== 'deep_test') return;
    const known = new Set(active.plan.steps.map(({ family, sm }) => `${family} ${sm}`));
    const added = plan.steps.filter(({ family, sm }) => !known.has(`${family} ${sm}`));
    active.plan = { ...active.plan, steps: [...active.plan.steps, ...added] };
  }

  #settle(active: Active, nowMs: number): void {
    const { steps, sweep, canary } = active.plan;
    if (canary !== undefined && active.executions === 0) return;
    for (
      let step = steps[active.step];
      step !== undefined && active.stepDone >= step.executions;
      step = steps[active.step]
    ) {
      active.step += 1;
      active.stepDone = 0;
      active.stepStartMs = nowMs;
    }
    if (active.step < steps.length) return;
    if (sweep !== null && sweep.units.length > 0) {
      active.sweepEndMs ??= nowMs + sweep.durationMs;
      if (nowMs < active.sweepEndMs) return;
    }
    this.#finish(active, '');
  }

  #finish(active: Active, reason: string): void {
    const progress = { ...progressOf(active, 'done'), reason };
    this.#active.delete(active.plan.id);
    this.#finished.set(active.plan.id, progress);
    const [oldest] = this.#finished.keys();
    if (this.#finished.size > MAX_REMEMBERED_DIRECTIVES && oldest !== undefined) this.#finished.delete(oldest);
    this.#onProgress(progress);
  }
}

function nextUnit(active: Active): DirectedUnit {
  const { plan } = active;
  const common = { directiveId: plan.id, deviceId: plan.deviceId, kind: plan.kind };
  const { canary } = plan;
  if (canary !== undefined)
    return { ...common, family: canary.family, sm: canary.sms[0] ?? 0, dueMs: active.notBeforeMs, canary };
  const step = plan.steps[active.step];
  if (step !== undefined) {
    const dueMs = Math.max(active.notBeforeMs, active.stepStartMs + active.stepDone * step.intervalMs);
    const warming = plan.warmingSms === undefined ? {} : { warmingSms: plan.warmingSms };
    return { ...common, family: step.family, sm: step.sm, dueMs, ...warming };
  }
  const units = plan.sweep?.units ?? [];
  const unit = units[active.sweepNext % units.length];
  if (unit === undefined) throw new RangeError(`directive ${plan.id} has neither a step nor a sweep left`);
  return { ...common, family: unit.family, sm: unit.sm, dueMs: active.notBeforeMs };
}

function advance(active: Active, nowMs: number): void {
  if (active.plan.canary !== undefined) return;
  if (active.step < active.plan.steps.length) {
    active.stepDone += 1;
    return;
  }
  active.sweepNext += 1;
  active.notBeforeMs = nowMs + (active.plan.sweep?.intervalMs ?? 0);
}

function stateOf(active: Active): 'accepted' | 'running' {
  return active.executions > 0 ? 'running' : 'accepted';
}

function progressOf(active: Active, state: 'accepted' | 'running' | 'done'): Progress {
  return { id: active.plan.id, state, executions: active.executions, failures: active.failures, reason: '' };
}

import { RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import type { FamilyName } from '../families.js';
import { Budget } from './budget.js';
import { CostEstimates } from './cost.js';
import type { DirectedUnit, DirectiveBook, DirectiveKind } from './directives.js';
import { type GoldenCpus, goldenCpus } from './golden-cpus.js';
import { OverheadWindow } from './overhead.js';
import { EPOCH_MS, epochAt, type SeedIndices } from './seed-indices.js';
import { type Due, FLOOR_MS, type Timetable } from './timetable.js';

/** Which budget pays. */
export type Pool = 'scheduled' | 'burst' | 'deep_test';

/** Share of each CPU that a deep test takes, percent: its device is quarantined, but the machine's other work goes on. */
export const DEEP_TEST_PCT = 50;

/** Deadline of an execution that no schedule entry times. */
export const DIRECTED_TIMEOUT_MS = 30_000;

/** Longest wait before looking again, so that a clock step is noticed. */
const MAX_WAIT_MS = 10_000;

/** One launch: one family with one seed on some SMs of one device. */
export interface Work {
  readonly deviceId: string;
  readonly family: FamilyName;
  readonly kind: RunKind;
  readonly sms: readonly number[];
  readonly goldenCpus: GoldenCpus;
  readonly epoch: number;
  readonly index: number;
  readonly directiveId: string | null;
  readonly timeoutMs: number;
  readonly pool: Pool;
}

export interface Now {
  readonly wallMs: number;
  readonly monoMs: number;
}

/** Microseconds that one unit of account used: a logical CPU, or a GPU of its own time. */
export interface Charge {
  readonly unit: number;
  readonly us: number;
}

/** What a planner can go on with while it runs. */
export type Changeable = Pick<PlannerParts, 'timetable' | 'overheadBudgetPct' | 'burstBudgetPct' | 'chargeFactor'>;

export type Decision = { readonly work: Work } | { readonly waitMs: number };

export interface PlannerParts {
  readonly timetable: Timetable;
  readonly directives: DirectiveBook;
  /** Of each device that this planner serves. */
  readonly indices: ReadonlyMap<string, SeedIndices>;
  /** A CPU device pays with every CPU that works for a launch, a GPU with its own time. */
  readonly backend: 'cpu' | 'gpu';
  /** Every logical CPU that may compute goldens. */
  readonly cpus: readonly number[];
  readonly overheadBudgetPct: number;
  readonly burstBudgetPct: number;
  /** What a microsecond of charge costs the budgets: what other work loses by it. */
  readonly chargeFactor: number;
  /** Whether a device runs nothing for now. */
  readonly isPaused: (deviceId: string, wallMs: number) => boolean;
  /** Whether a device has a temperature and is not in its hot bin. */
  readonly isCool: (deviceId: string) => boolean;
  /** How long a run that is due should wait for a hot moment, milliseconds. */
  readonly heatHoldMs: (deviceId: string, periodMs: number, overdueMs: number, monoMs: number) => number;
}

/** The unit of account of a GPU. */
export const GPU_UNIT = 0;

export const POOLS = ['scheduled', 'burst', 'deep_test'] as const satisfies readonly Pool[];

const KIND: Readonly<Record<DirectiveKind, RunKind>> = {
  canary: RunKind.CANARY,
  burst: RunKind.BURST,
  follow_up: RunKind.FOLLOW_UP,
  deep_test: RunKind.DEEP_TEST,
};

/**
 * Decides what runs next, one launch at a time. Scheduled work goes first: it is small, and its budget is its own. Then bursts,
 * follow-ups and deep tests, each when it is due and its CPUs can pay.
 */
export class Planner {
  readonly #parts: PlannerParts;
  #timetable: Timetable;
  #chargeFactor: number;
  #budgets: Readonly<Record<Pool, Budget>>;
  readonly #costs = new CostEstimates();
  /** `all`: whatever paid. Devices may be busiest in different pools, so it is no sum of the others. */
  readonly overhead: Readonly<Record<Pool | 'all', OverheadWindow>> = {
    scheduled: new OverheadWindow(),
    burst: new OverheadWindow(),
    deep_test: new OverheadWindow(),
    all: new OverheadWindow(),
  };

  constructor(parts: PlannerParts) {
    this.#parts = parts;
    this.#timetable = parts.timetable;
    this.#chargeFactor = parts.chargeFactor;
    this.#budgets = budgetsOf(parts);
  }

  /** Goes on with another schedule or other caps; balances start anew. */
  reconfigure(changed: Changeable): void {
    this.#timetable = changed.timetable;
    this.#chargeFactor = changed.chargeFactor;
    this.#budgets = budgetsOf(changed);
  }

  next(now: Now): Decision {
    const scheduled = this.#nextScheduled(now);
    if ('work' in scheduled) return scheduled;
    const directed = this.#nextDirected(now);
    if ('work' in directed) return directed;
    return { waitMs: Math.max(1, Math.min(scheduled.waitMs, directed.waitMs, MAX_WAIT_MS)) };
  }

  /** Charges what a launch took to the units that did the work; their budgets pay what that costs others. */
  charge(pool: Pool, family: FamilyName, charges: readonly Charge[], monoMs: number): void {
    let most = 0;
    for (const { unit, us } of charges) {
      const paidUs = us * this.#chargeFactor;
      this.#budgets[pool].charge(unit, paidUs, monoMs);
      this.overhead[pool].charge(unit, us, monoMs);
      this.overhead.all.charge(unit, us, monoMs);
      most = Math.max(most, paidUs);
    }
    if (charges.length > 0) this.#costs.observe(family, most);
  }

  #nextScheduled(now: Now): Decision {
    const timetable = this.#timetable;
    const epoch = epochAt(now.wallMs);
    let waitMs = timetable.nextDueMs(now.wallMs) - now.wallMs;
    const waiting = new Set<string>();
    for (const due of timetable.due(now.wallMs, now.monoMs, (device) => !this.#parts.isPaused(device.id, now.wallMs))) {
      if (due.entry.periodMs >= EPOCH_MS && !this.#indices(due.device.id).mayRunScheduled(due.entry.family, epoch)) {
        waitMs = Math.min(waitMs, (epoch + 1) * EPOCH_MS - now.wallMs);
        continue;
      }
      // What waits for its budget is not overtaken by what is less urgent on the same device.
      if (waiting.has(due.device.id)) continue;
      const holdMs = this.#parts.heatHoldMs(due.device.id, due.entry.periodMs, due.overdueMs, now.monoMs);
      if (holdMs > 0) {
        waitMs = Math.min(waitMs, holdMs);
        continue;
      }
      const golden = this.#golden(due.sms, epoch);
      const readyMs =
        due.overdueMs >= FLOOR_MS ? now.monoMs : this.#readyMs('scheduled', due.entry.family, due.sms, golden, now);
      if (readyMs <= now.monoMs) return { work: this.#startScheduled(due, golden, epoch, now) };
      waiting.add(due.device.id);
      waitMs = Math.min(waitMs, readyMs - now.monoMs);
    }
    return { waitMs };
  }

  #startScheduled(due: Due, golden: GoldenCpus, epoch: number, now: Now): Work {
    const { device, entry, sms } = due;
    const indices = this.#indices(device.id);
    // A period shorter than an epoch runs several times in one: beyond the first with operands of its own.
    const shared = indices.mayRunScheduled(entry.family, epoch);
    const index = shared ? indices.scheduled(entry.family, epoch) : indices.next(epoch);
    this.#timetable.started(due, now.wallMs);
    return {
      deviceId: device.id,
      family: entry.family,
      kind: RunKind.SCHEDULED,
      sms,
      goldenCpus: golden,
      epoch,
      index,
      directiveId: null,
      timeoutMs: entry.timeoutMs,
      pool: 'scheduled',
    };
  }

  #nextDirected(now: Now): Decision {
    let waitMs = Number.POSITIVE_INFINITY;
    const waiting = new Set<Pool>();
    for (const unit of this.#parts.directives.next(now.monoMs)) {
      if (!this.#serves(unit.deviceId, now)) continue;
      const pool: Pool = unit.kind === 'deep_test' ? 'deep_test' : 'burst';
      if (waiting.has(pool)) continue;
      const epoch = epochAt(now.wallMs);
      const sms = this.#smsOf(unit);
      const golden = this.#golden(sms, epoch);
      const readyMs = Math.max(unit.dueMs, this.#readyMs(pool, unit.family, sms, golden, now));
      if (readyMs <= now.monoMs) return { work: this.#startDirected(unit, sms, pool, golden, epoch) };
      if (unit.dueMs <= now.monoMs) waiting.add(pool);
      waitMs = Math.min(waitMs, readyMs - now.monoMs);
    }
    return { waitMs };
  }

  /** Nobody else works on a quarantined device: where heat is asked for, its tests are what heats it. */
  #smsOf({ canary, warmingSms, deviceId, sm }: DirectedUnit): readonly number[] {
    if (canary !== undefined) return canary.sms;
    return warmingSms !== undefined && this.#parts.isCool(deviceId) ? warmingSms : [sm];
  }

  #startDirected(unit: DirectedUnit, sms: readonly number[], pool: Pool, golden: GoldenCpus, epoch: number): Work {
    return {
      deviceId: unit.deviceId,
      family: unit.family,
      kind: KIND[unit.kind],
      ...(unit.canary ?? { sms, epoch, index: this.#indices(unit.deviceId).next(epoch) }),
      goldenCpus: golden,
      directiveId: unit.directiveId,
      timeoutMs: DIRECTED_TIMEOUT_MS,
      pool,
    };
  }

  #readyMs(pool: Pool, family: FamilyName, sms: readonly number[], golden: readonly number[], now: Now): number {
    const payers = this.#parts.backend === 'gpu' ? [GPU_UNIT] : new Set([...sms, ...golden]);
    return this.#budgets[pool].readyAtMs(payers, this.#costs.of(family), now.monoMs);
  }

  #golden(sms: readonly number[], turn: number): GoldenCpus {
    return goldenCpus(this.#parts.cpus, this.#parts.backend === 'gpu' ? [] : sms, turn);
  }

  #serves(deviceId: string, { wallMs }: Now): boolean {
    return this.#parts.indices.has(deviceId) && !this.#parts.isPaused(deviceId, wallMs);
  }

  #indices(deviceId: string): SeedIndices {
    const indices = this.#parts.indices.get(deviceId);
    if (indices === undefined) throw new RangeError(`no seed indices for device ${deviceId}`);
    return indices;
  }
}

function budgetsOf(caps: Pick<PlannerParts, 'overheadBudgetPct' | 'burstBudgetPct'>): Readonly<Record<Pool, Budget>> {
  return {
    scheduled: new Budget(caps.overheadBudgetPct),
    burst: new Budget(caps.burstBudgetPct),
    deep_test: new Budget(DEEP_TEST_PCT),
  };
}

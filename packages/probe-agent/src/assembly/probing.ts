import { RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import type { LoudFaults } from '../execution/execute.js';
import { InjectionWatch } from '../execution/injection-watch.js';
import { executed, type ProbeRun } from '../execution/run.js';
import { Runner } from '../execution/runner.js';
import type { Lane } from '../identity/lane.js';
import { nodeFolder } from '../identity/node-folder.js';
import { CoverageMap } from '../observing/coverage-map.js';
import type { ProbeChild } from '../probe-child/probe-child.js';
import { MismatchLog } from '../reporting/mismatch-log.js';
import { coverageTargets } from '../scheduler/coverage-targets.js';
import type { DirectiveBook } from '../scheduler/directives.js';
import { plannedEntries, timetableOf } from '../scheduler/entries.js';
import { HeatKeeper } from '../scheduler/heat.js';
import { storedIndices } from '../scheduler/index-store.js';
import { OverheadWindow } from '../scheduler/overhead.js';
import type { Pauses } from '../scheduler/pauses.js';
import { type Changeable, Planner, type Pool } from '../scheduler/planner.js';
import type { Settings } from '../settings.js';
import type { ContextSource } from '../telemetry/context.js';
import type { Common } from './common.js';
import type { Reporting } from './reporting.js';

interface Loop {
  readonly lane: Lane;
  readonly planner: Planner;
  readonly runner: Runner;
}

export interface ProbingParts {
  readonly directives: DirectiveBook;
  readonly pauses: Pauses;
  readonly reporting: Reporting;
  readonly telemetry: LoudFaults & { readonly latest: ContextSource };
}

/** From the plan to launches and what came of them: one loop for each lane, so that a device that hangs delays no other. */
export class Probing {
  readonly coverage = new CoverageMap();
  readonly #goldens = new OverheadWindow();
  readonly #heat: HeatKeeper;
  readonly #common: Common;
  readonly #parts: ProbingParts;
  readonly #loops: readonly Loop[];
  readonly #mismatches: MismatchLog;
  readonly #watch: InjectionWatch | null;
  #settings: Settings;

  constructor(common: Common, parts: ProbingParts) {
    this.#common = common;
    this.#parts = parts;
    this.#settings = common.settings;
    this.#heat = new HeatKeeper(parts.telemetry.latest);
    this.#mismatches = new MismatchLog(common.log, common.clock);
    this.#watch = common.testbed.info.testBuild ? new InjectionWatch(common.log) : null;
    this.#loops = common.testbed.lanes.map((lane) => this.#loopOf(lane));
    this.#expectCoverage();
  }

  /** Begins to probe in one lane. */
  async start(lane: Lane): Promise<void> {
    await this.#watch?.look(lane.child);
    this.#loops.find((loop) => loop.lane === lane)?.runner.start();
  }

  /** Something may have become due. */
  wake(): void {
    for (const { runner } of this.#loops) runner.wake();
  }

  /** Goes on with other settings. */
  reconfigure(settings: Settings): void {
    this.#settings = settings;
    for (const { lane } of this.#loops) this.refresh(lane);
  }

  /** Plans anew for a lane whose devices changed. */
  refresh(lane: Lane): void {
    const loop = this.#loops.find((candidate) => candidate.lane === lane);
    loop?.planner.reconfigure(changeable(this.#settings, lane));
    loop?.runner.wake();
    this.#expectCoverage();
  }

  /** Charged to the busiest device over the last minute, percent. */
  overheadPct(pool: Pool | 'all'): number {
    const nowMs = this.#common.clock.monotonicMs();
    return Math.max(0, ...this.#loops.map(({ planner }) => planner.overhead[pool].percent(nowMs)));
  }

  /** What that costs the device's other work, percent. */
  lostPct(pool: Pool): number {
    return this.overheadPct(pool) * this.#settings.config.charge_factor;
  }

  /** CPU time for goldens of GPUs, of the busiest logical CPU over the last minute, percent. */
  goldenPct(): number {
    return this.#goldens.percent(this.#common.clock.monotonicMs());
  }

  /** Of the last day's scheduled runs, those in the hot bin; of the device with fewest, undefined where none has a temperature. */
  hotShare(): number | undefined {
    const { devices, clock } = this.#common;
    const shares = devices.ids.map((id) => this.#heat.hotShare(id, clock.monotonicMs()));
    const known = shares.filter((share) => share !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** Ends every loop after the launch in progress. */
  async stop(): Promise<void> {
    await Promise.all(this.#loops.map(({ runner }) => runner.stop()));
  }

  #loopOf(lane: Lane): Loop {
    const planner = this.#plannerOf(lane);
    const { devices, clock, log } = this.#common;
    const { directives, reporting, telemetry } = this.#parts;
    const runner = new Runner({
      planner,
      directives,
      executor: { deviceOf: devices.get, clock, loudFaults: telemetry, contexts: telemetry.latest },
      smsOf: devices.smsOf,
      tolerances: this.#settings.tolerances,
      onRun: (run) => this.#ran(run, lane.child),
      report: (group) => {
        this.#mismatches.group(group);
        return reporting.reporter.runs(group);
      },
      onProblem: (error) => log.error({ err: error }, 'a probe could not be started; it is tried again'),
      onDispute: ({ deviceId, family }, dispute) => reporting.events.goldenDisagreed(deviceId, family, dispute),
      onGoldens: (charges) => {
        for (const { unit, us } of charges) this.#goldens.charge(unit, us, clock.monotonicMs());
      },
    });
    return { lane, planner, runner };
  }

  #plannerOf(lane: Lane): Planner {
    const { testbed } = this.#common;
    const { directives, pauses } = this.#parts;
    const folder = nodeFolder(this.#settings.config);
    return new Planner({
      ...changeable(this.#settings, lane),
      directives,
      indices: new Map(lane.devices.map(({ id }) => [id, storedIndices(folder, id)])),
      backend: lane.devices[0]?.backend ?? 'cpu',
      cpus: testbed.info.cpus,
      isPaused: (deviceId, wallMs) => pauses.isPaused(deviceId, wallMs),
      isCool: (deviceId) => this.#heat.isCool(deviceId),
      heatHoldMs: (...due) => this.#heat.holdMs(...due),
    });
  }

  #ran(run: ProbeRun, child: ProbeChild): void {
    const { metrics, clock } = this.#common;
    metrics.ran(run);
    const sms = run.results.filter(executed).map(({ sm }) => sm);
    this.coverage.ran(run.deviceId, run.family, sms, clock.monotonicMs());
    if (run.kind === RunKind.SCHEDULED) this.#heat.ran(run.deviceId, run.context, clock.monotonicMs());
    void this.#watch?.look(child);
  }

  #expectCoverage(): void {
    const { devices, clock } = this.#common;
    const targets = devices.all.flatMap((device) => coverageTargets(device, this.#settings.schedule));
    this.coverage.expect(targets, clock.monotonicMs());
  }
}

/** What a planner takes up while it runs. */
function changeable({ schedule, overheadBudgetPct, config }: Settings, { devices }: Lane): Changeable {
  const [first] = devices;
  return {
    timetable: timetableOf(devices, plannedEntries(schedule, first?.families ?? [], first?.backend ?? 'cpu')),
    overheadBudgetPct,
    burstBudgetPct: config.burst_budget_pct,
    chargeFactor: config.charge_factor,
  };
}

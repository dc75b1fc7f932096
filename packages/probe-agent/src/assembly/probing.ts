import type { LoudFaults } from '../execution/execute.js';
import { InjectionWatch } from '../execution/injection-watch.js';
import { Runner } from '../execution/runner.js';
import { nodeFolder } from '../identity/node-folder.js';
import { MismatchLog } from '../reporting/mismatch-log.js';
import type { DirectiveBook } from '../scheduler/directives.js';
import { plannedEntries, timetableOf } from '../scheduler/entries.js';
import { storedIndices } from '../scheduler/index-store.js';
import { Planner, type PlannerParts } from '../scheduler/planner.js';
import type { Settings } from '../settings.js';
import type { Common, Devices } from './common.js';
import type { Reporting } from './reporting.js';

export function makePlanner({ settings, testbed, devices, log }: Common, directives: DirectiveBook): Planner {
  const folder = nodeFolder(settings.config);
  const { absent } = plannedEntries(settings.schedule, devices.all[0]?.families ?? []);
  if (absent.length > 0) log.info({ probes: absent }, 'probes of the schedule that have no family here: not run');
  return new Planner({
    ...changeable(settings, devices),
    directives,
    indices: new Map(devices.all.map(({ id }) => [id, storedIndices(folder, id)])),
    cpus: testbed.info.cpus,
  });
}

type Changeable = Pick<PlannerParts, 'timetable' | 'overheadBudgetPct' | 'burstBudgetPct'>;

/** What a reload may change while the planner runs. */
export function changeable({ schedule, overheadBudgetPct, config }: Settings, devices: Devices): Changeable {
  return {
    timetable: timetableOf(devices.all, plannedEntries(schedule, devices.all[0]?.families ?? [])),
    overheadBudgetPct,
    burstBudgetPct: config.burst_budget_pct,
  };
}

/** From the plan to launches and what came of them. */
export function makeRunner(
  common: Common,
  planner: Planner,
  directives: DirectiveBook,
  { reporter, events }: Reporting,
  loudFaults: LoudFaults,
): { readonly runner: Runner; readonly watch: InjectionWatch | null } {
  const { testbed, devices, metrics, clock, log } = common;
  const { child, info } = testbed;
  const watch = info.testBuild ? new InjectionWatch(child, log) : null;
  const mismatches = new MismatchLog(log, clock);
  const runner = new Runner({
    planner,
    directives,
    executor: { child, clock, loudFaults },
    smsOf: devices.smsOf,
    onRun: (run) => {
      metrics.ran(run);
      void watch?.look();
    },
    report: (group) => {
      mismatches.group(group);
      return reporter.runs(group);
    },
    onProblem: (error) => log.error({ err: error }, 'a probe could not be started; it is tried again'),
    onDispute: ({ family }, dispute) => events.goldenDisagreed(family, dispute),
  });
  return { runner, watch };
}

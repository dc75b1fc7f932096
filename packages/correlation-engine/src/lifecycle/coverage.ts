/**
 * Runs that pass are not logged one by one; what a node ran in an hour is, once the hour is over. The hour is that of event time, which
 * never goes back, so each run is in one event and no hour is told twice: what comes late begins another part of its hour.
 */
import { deviceOf, editFleet, editNode, fleetOf, nodeOf, nodesOf } from '../evidence/draft.js';
import type { CounterIncrement } from '../evidence/effects.js';
import { familyName } from '../evidence/families.js';
import type { CoverageCell, CoverageHour } from '../evidence/model/coverage.js';
import { emit, type Step } from '../evidence/step.js';

const HOUR_US = 3_600_000_000;
/** A node that reports tells its hour itself; of one that fell silent it is told so long after the hour's end. */
const GRACE_US = 600_000_000;
/** Nodes whose hours are told by one tick, so that no transaction grows with the fleet. */
const MAX_NODES_PER_TICK = 500;
/** Devices of one event: 64 KiB hold them with every family. */
const MAX_GPUS_PER_EVENT = 64;

/** @param sms most SMs in one of the runs */
export function noteCoverage(step: Step, name: string, ran: CounterIncrement, sms: number, testBuild: boolean): void {
  const before = nodeOf(step.draft, name)?.coverage;
  const hour = Math.max(Math.floor(ran.lastRunUs / HOUR_US), before?.hour ?? 0);
  const ended = before !== undefined && (before.hour < hour || before.testBuild !== testBuild);
  if (before !== undefined && ended) tell(step, name, before);
  const now = ended || before === undefined ? { hour, testBuild, gpus: [], cells: [] } : before;
  editNode(step.draft, name).coverage = added(now, ran, sms);
  const dueUs = (hour + 1) * HOUR_US + GRACE_US;
  if ((fleetOf(step.draft).coverageUs ?? Number.POSITIVE_INFINITY) > dueUs) editFleet(step.draft).coverageUs = dueUs;
}

/** Tells the hours of nodes that have not reported since. */
export function tellEndedHours(step: Step): void {
  const { nowUs } = step.ctx;
  const dueUs = fleetOf(step.draft).coverageUs ?? null;
  if (dueUs === null || dueUs > nowUs) return;
  let told = 0;
  let next = Number.POSITIVE_INFINITY;
  for (const { node, coverage } of nodesOf(step.draft)) {
    if (coverage === undefined) continue;
    const at = (coverage.hour + 1) * HOUR_US + GRACE_US;
    if (at > nowUs || told === MAX_NODES_PER_TICK) {
      next = Math.min(next, at);
      continue;
    }
    tell(step, node, coverage);
    delete editNode(step.draft, node).coverage;
    told += 1;
  }
  editFleet(step.draft).coverageUs = next === Number.POSITIVE_INFINITY ? null : next;
}

function added({ gpus, cells, ...hour }: CoverageHour, ran: CounterIncrement, sms: number): CoverageHour {
  const known = gpus.indexOf(ran.deviceId);
  const gpu = known < 0 ? gpus.length : known;
  const at = cells.findIndex(([index, family]) => index === gpu && family === ran.family);
  const [, , runs, pass, fail, notRun, most] = cells[at] ?? [gpu, ran.family, 0, 0, 0, 0, 0];
  const cell: CoverageCell = [
    gpu,
    ran.family,
    runs + ran.runs,
    pass + ran.executions - ran.failures,
    fail + ran.failures,
    notRun + ran.notRun,
    Math.max(most, sms),
  ];
  return {
    ...hour,
    gpus: known < 0 ? [...gpus, ran.deviceId] : gpus,
    cells: at < 0 ? [...cells, cell] : cells.with(at, cell),
  };
}

function tell(step: Step, node: string, { hour, testBuild, gpus, cells }: CoverageHour): void {
  for (let first = 0; first < gpus.length; first += MAX_GPUS_PER_EVENT) {
    const end = first + MAX_GPUS_PER_EVENT;
    const part = cells.filter(([gpu]) => gpu >= first && gpu < end);
    const sum = (column: 2 | 3 | 4 | 5): number => part.reduce((total, cell) => total + cell[column], 0);
    const untilUs = (hour + 1) * HOUR_US;
    emit(
      step,
      'PROBE',
      { gpu: '', eventUs: Math.min(untilUs, step.ctx.nowUs), injected: testBuild },
      {
        event: 'coverage',
        node,
        from_us: hour * HOUR_US,
        until_us: untilUs,
        runs: sum(2),
        pass: sum(3),
        fail: sum(4),
        not_run: sum(5),
        columns: ['runs', 'pass', 'fail', 'not_run', 'sms'],
        gpus: Object.fromEntries(gpus.slice(first, end).map((id, i) => [id, gpuDetail(step, id, first + i, part)])),
      },
    );
  }
}

/** `sms` of a family: the most that took part in one run; of the device: as many as it has. */
function gpuDetail(step: Step, id: string, gpu: number, cells: readonly CoverageCell[]) {
  const own = cells.filter(([index]) => index === gpu);
  const families = Object.fromEntries(own.map(([, family, ...counts]) => [familyName(family), [...counts]]));
  return { sms: deviceOf(step.draft, id)?.sms.length ?? 0, families };
}

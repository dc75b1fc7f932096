import { directiveLines, fleetSummary, gpuTable, hang, paint } from '@sentinel/cli/views';
import {
  type GateOutcome,
  GateOutcome_Verdict,
  type GpuHealth,
  type QueryFleetHealthResponse,
} from '@sentinel/contracts/sentinel/v1/health.js';
import type { ProcessState, ProcessStatus } from './managed-process.js';

/** How the fleet is, as far as the engine says it. */
export interface FleetView {
  /** null = the engine did not answer; `problem` says why. */
  readonly fleet: QueryFleetHealthResponse | null;
  /** Gates of devices that are not HEALTHY, by device. */
  readonly gates: ReadonlyMap<string, readonly GateOutcome[]>;
  readonly problem: string;
}

/** What the supervisor knows at one moment. */
export interface Snapshot extends FleetView {
  readonly processes: readonly ProcessStatus[];
  readonly nowUs: bigint;
}

const MARKS: Readonly<Record<ProcessState, string>> = {
  starting: paint('yellow', 'starting'),
  running: paint('green', 'running'),
  restarting: paint('red', 'restarting'),
  stopped: paint('dim', 'stopped'),
  failed: paint('red', 'failed'),
};
const NAME_WIDTH = 8;

/** The whole status as lines of at most 80 columns, redrawn in place on a terminal. */
export function statusLines(snapshot: Snapshot): string[] {
  const { processes, fleet, problem, nowUs, gates } = snapshot;
  const below = fleet === null ? engineLines(problem) : fleetLines(fleet, gates, nowUs);
  return [...processes.flatMap(processLines), ...(below.length === 0 ? [] : ['', ...below])];
}

function processLines(process: ProcessStatus): string[] {
  const pid = process.pid === null ? '' : `pid ${process.pid}`;
  const facts = [pid, restarts(process)].filter((part) => part !== '').join(', ');
  return hang(`  ${process.name.padEnd(NAME_WIDTH)}  ${MARKS[process.state]}  `, facts);
}

function restarts({ restarts, lastEnd, lastWords }: ProcessStatus): string {
  if (restarts === 0) return '';
  const said = lastWords === '' ? '' : `: ${lastWords}`;
  return paint('yellow', `restarted ${restarts === 1 ? 'once' : `${restarts} times`}, last ${lastEnd}${said}`);
}

function engineLines(problem: string): string[] {
  return problem === '' ? [] : hang('', paint('yellow', `The engine does not answer: ${problem}`));
}

function fleetLines(fleet: QueryFleetHealthResponse, gates: FleetView['gates'], nowUs: bigint): string[] {
  const summary = fleet.summary === undefined ? [] : [...fleetSummary(fleet.summary).split('\n'), ''];
  const table = gpuTable(fleet.gpus, nowUs).split('\n');
  return [...summary, ...table, ...fleet.gpus.flatMap((gpu) => deviceLines(gpu, gates.get(gpu.gpu) ?? []))];
}

function deviceLines(gpu: GpuHealth, gates: readonly GateOutcome[]): string[] {
  const summary = gpu.summary === '' ? [] : hang('  ', gpu.summary);
  return [...summary, ...directiveLines(gpu), ...(gates.length === 0 ? [] : hang('  gates ', gatesText(gates)))];
}

const VERDICTS = [
  [GateOutcome_Verdict.HOLD, 'HOLD', 'red'],
  [GateOutcome_Verdict.NOT_EVALUABLE, 'NOT_EVALUABLE', 'yellow'],
  [GateOutcome_Verdict.PASS, 'PASS', 'green'],
] as const;

/** Gates by verdict: what holds comes first. */
export function gatesText(gates: readonly GateOutcome[]): string {
  return VERDICTS.flatMap(([verdict, name, style]) => {
    const names = gates.filter((gate) => gate.verdict === verdict).map((gate) => gate.name);
    return names.length === 0 ? [] : [`${paint(style, name)} ${names.join(', ')}`];
  }).join('; ');
}

import {
  directiveLines,
  directiveText,
  fleetSummary,
  gpuTable,
  injectedMark,
  paint,
  stateName,
} from '@sentinel/cli/views';
import type { GpuHealth, QueryFleetHealthResponse } from '@sentinel/contracts/sentinel/v1/health.js';
import type { ProcessState, ProcessStatus } from './managed-process.js';

/** What the supervisor knows at one moment. */
export interface Snapshot {
  readonly processes: readonly ProcessStatus[];
  /** null = the engine did not answer; `problem` says why. */
  readonly fleet: QueryFleetHealthResponse | null;
  readonly problem: string;
  readonly nowUs: bigint;
}

const MARKS: Readonly<Record<ProcessState, string>> = {
  starting: paint('yellow', 'starting'),
  running: paint('green', 'running'),
  restarting: paint('red', 'restarting'),
  stopped: paint('dim', 'stopped'),
  failed: paint('red', 'failed'),
};

/** The whole status as lines, redrawn in place on a terminal. */
export function statusLines(snapshot: Snapshot): string[] {
  return [
    ...snapshot.processes.map(processLine),
    '',
    ...(snapshot.fleet === null
      ? [paint('yellow', `The engine does not answer yet: ${snapshot.problem}`)]
      : fleetLines(snapshot.fleet, snapshot.nowUs)),
  ];
}

function processLine(process: ProcessStatus): string {
  const pid = process.pid === null ? '' : `pid ${process.pid}`;
  const restarts =
    process.restarts === 0 ? '' : paint('yellow', `restarted ${process.restarts}x, last ${process.lastEnd}`);
  return `  ${process.name.padEnd(20)} ${MARKS[process.state]}  ${[pid, restarts].filter((part) => part !== '').join(', ')}`;
}

function fleetLines(fleet: QueryFleetHealthResponse, nowUs: bigint): string[] {
  const summary = fleet.summary === undefined ? [] : fleetSummary(fleet.summary).split('\n');
  return [...summary, '', ...gpuTable(fleet.gpus, nowUs).split('\n'), ...fleet.gpus.flatMap(deviceLines)];
}

function deviceLines(gpu: GpuHealth): string[] {
  return gpu.summary === '' ? directiveLines(gpu) : [`  ${gpu.summary}`, ...directiveLines(gpu)];
}

/**
 * Says in single lines what changed from one snapshot to the next: the status where there is no terminal to redraw (a log, CI).
 * Progress of a directive is said at every tenth of it.
 */
export function changes(before: Snapshot | null, now: Snapshot): string[] {
  return [
    ...now.processes.flatMap((process, i) => processChange(before?.processes[i], process)),
    ...(now.fleet?.gpus ?? []).flatMap((gpu) =>
      gpuChange(
        before?.fleet?.gpus.find((old) => old.gpu === gpu.gpu),
        gpu,
      ),
    ),
  ];
}

function processChange(before: ProcessStatus | undefined, now: ProcessStatus): string[] {
  if (before?.state === now.state && before.restarts === now.restarts) return [];
  if (now.state === 'restarting') return [`${now.name} ${now.lastEnd}; starting it again`];
  return [`${now.name} ${now.state}${now.pid === null ? '' : ` (pid ${now.pid})`}`];
}

function gpuChange(before: GpuHealth | undefined, now: GpuHealth): string[] {
  const lines: string[] = [];
  if (before === undefined || before.state !== now.state || before.summary !== now.summary) {
    const mark = injectedMark(now.injected);
    lines.push(`${now.gpu} ${stateName(now.state)}${mark === '' ? '' : ` ${mark}`}: ${now.summary}`);
  }
  const shown = new Set((before === undefined ? [] : progress(before)).map(([key]) => key));
  for (const [key, line] of progress(now)) if (!shown.has(key)) lines.push(`  ${line}`);
  return lines;
}

const TENTHS = 10n;

function progress(gpu: GpuHealth): [key: string, line: string][] {
  return gpu.directives
    .filter((directive) => !directive.finished && directive.wanted > 0n)
    .map((directive) => [`${directive.id}:${(directive.done * TENTHS) / directive.wanted}`, directiveText(directive)]);
}

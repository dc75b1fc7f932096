import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import type { DeviceTelemetry, FamilyCounters, GpuHealth } from '@sentinel/contracts/sentinel/v1/health.js';
import { directiveText } from './fleet.js';
import { age, count, familyName, injectedMark, paint, paintState, stateName, time } from './format.js';
import { table } from './table.js';
import { telemetryLines } from './telemetry.js';
import { hang } from './wrap.js';

/** One device by itself: who it is, how it stands, what was tested, what its sensors say. */
export function gpuView(gpu: GpuHealth, telemetry: DeviceTelemetry | undefined, nowUs: bigint): string {
  const tested = gpu.families.length === 0 ? [] : ['', familyTable(gpu)];
  return [...headLines(gpu, nowUs), ...tested, ...telemetryLines(telemetry, nowUs), ...workLines(gpu)].join('\n');
}

/** The block that `gpus show` and `gpus explain` begin with. */
export function headLines(gpu: GpuHealth, nowUs: bigint): string[] {
  const facts: readonly (readonly [string, string])[] = [
    ['device', paint('bold', gpu.gpu)],
    ['model', [gpu.model, gpu.note].filter((part) => part !== '').join('; ')],
    ['serial', gpu.serial],
    ['slot', gpu.slot],
    ['gone', gpu.replacedBy === '' ? '' : `replaced by ${gpu.replacedBy}, ${time(gpu.replacedUs)}`],
    ['node', `${gpu.node}, known by ${gpu.identity}${gpu.connected ? '' : `, ${paint('yellow', 'away')}`}`],
    ['build', gpu.buildId],
    ['state', stateText(gpu)],
    ['score', gpu.score.toFixed(3)],
    ['tested', `${count(gpu.executions)} executions, ${wrong(gpu.failures)}, last ${age(gpu.lastSeenUs, nowUs)}`],
    ['summary', gpu.summary],
  ];
  return facts.filter(([, text]) => text !== '').flatMap(([name, text]) => hang(`${name.padEnd(7)}  `, text));
}

function stateText(gpu: GpuHealth): string {
  const would = gpu.wouldBe === GpuState.UNSPECIFIED ? '' : `(enforce mode: ${stateName(gpu.wouldBe)})`;
  const since = gpu.stateSinceUs === 0n ? '' : `since ${time(gpu.stateSinceUs)}`;
  return [paintState(gpu.state), injectedMark(gpu.injected), would, since].filter((part) => part !== '').join(' ');
}

function wrong(failures: bigint): string {
  return failures === 0n ? '0 wrong' : paint('red', `${count(failures)} wrong`);
}

function familyTable(gpu: GpuHealth): string {
  const row = (family: FamilyCounters): string[] => [
    familyName(family.family),
    count(family.runs),
    count(family.executions),
    family.failures === 0n ? '0' : paint('red', count(family.failures)),
    count(family.notRun),
    `${family.smsCovered} of ${gpu.sms}`,
    time(family.lastRunUs),
  ];
  return table(
    [
      { title: 'FAMILY' },
      { title: 'RUNS', align: 'right' },
      { title: 'EXECUTIONS', align: 'right' },
      { title: 'WRONG', align: 'right' },
      { title: 'NOT RUN', align: 'right' },
      { title: 'SMS TESTED', align: 'right' },
      { title: 'LAST RUN' },
    ],
    gpu.families.map(row),
  );
}

function workLines(gpu: GpuHealth): string[] {
  if (gpu.directives.length === 0) return [];
  return ['', paint('bold', 'Work ordered'), ...gpu.directives.map((directive) => `  ${directiveText(directive)}`)];
}

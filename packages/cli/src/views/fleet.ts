import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import type { DirectiveProgress, FleetSummary, GpuHealth } from '@sentinel/contracts/sentinel/v1/health.js';
import { age, count, familyName, injectedMark, paint, paintState } from './format.js';
import { table } from './table.js';

const COLUMNS = [
  { title: 'DEVICE' },
  { title: 'NODE' },
  { title: 'STATE' },
  { title: 'SCORE', align: 'right' },
  { title: 'SMS', align: 'right' },
  { title: 'EXECUTIONS', align: 'right' },
  { title: 'WRONG', align: 'right' },
  { title: 'SEEN' },
  { title: 'NOTE' },
] as const;

/** One line for each device. */
export function gpuTable(gpus: readonly GpuHealth[], nowUs: bigint): string {
  if (gpus.length === 0) return 'No device is registered yet.';
  return table(COLUMNS, gpus.map((gpu) => gpuRow(gpu, nowUs)));
}

function gpuRow(gpu: GpuHealth, nowUs: bigint): string[] {
  return [
    gpu.gpu,
    gpu.node,
    stateCell(gpu),
    gpu.score.toFixed(3),
    String(gpu.sms),
    count(gpu.executions),
    gpu.failures === 0n ? '0' : paint('red', count(gpu.failures)),
    gpu.connected ? age(gpu.lastSeenUs, nowUs) : paint('yellow', `away, ${age(gpu.lastSeenUs, nowUs)}`),
    [injectedMark(gpu.injected), gpu.note].filter((part) => part !== '').join(' '),
  ];
}

function stateCell(gpu: GpuHealth): string {
  const would = gpu.wouldBe === GpuState.UNSPECIFIED ? '' : ` (would be ${paintState(gpu.wouldBe)})`;
  return paintState(gpu.state) + would;
}

/** The fleet in two lines. */
export function fleetSummary(summary: FleetSummary): string {
  const states = [
    `${summary.healthy} healthy`,
    summary.suspect > 0 ? paint('yellow', `${summary.suspect} suspect`) : '',
    summary.quarantined > 0 ? paint('red', `${summary.quarantined} quarantined`) : '',
    summary.deepTest > 0 ? paint('cyan', `${summary.deepTest} in deep test`) : '',
    summary.condemned > 0 ? paint('red', `${summary.condemned} condemned`) : '',
    summary.injectedGpus > 0 ? paint('magenta', `${summary.injectedGpus} INJECTED`) : '',
  ].filter((part) => part !== '');
  return [
    `Fleet    ${plural(summary.gpus, 'device')} on ${plural(summary.nodes, 'node')}: ${states.join(', ')}`,
    `Evidence ${count(summary.executions)} executions, ${count(summary.failures)} wrong; ${plural(summary.connectedAgents, 'agent')} connected; mode ${summary.mode}; ${count(summary.outboxPending)} waiting for the ledger`,
  ].join('\n');
}

/** Bursts, follow-ups and deep tests with their counts; only the unfinished ones unless there is nothing else to show. */
export function directiveLines(gpu: GpuHealth): string[] {
  return gpu.directives.filter((directive) => !directive.finished).map((directive) => `  ${directiveText(directive)}`);
}

export function directiveText(directive: DirectiveProgress): string {
  const unit = `${familyName(directive.family)} on SM ${directive.sm}`;
  const wrong = directive.failures > 0n ? `, ${paint('red', `${count(directive.failures)} wrong`)}` : '';
  const progress = directive.wanted > 0n ? `${count(directive.done)} of ${count(directive.wanted)}` : count(directive.done);
  return `${directive.kind} ${unit}: ${progress} executions${wrong}${directive.finished ? ', finished' : ''}`;
}

function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
}

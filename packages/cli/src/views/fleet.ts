import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import type { DirectiveProgress, FleetSummary, GpuHealth } from '@sentinel/contracts/sentinel/v1/health.js';
import { age, compactCount, count, familyName, injectedMark, paint, paintState, plural, stateName } from './format.js';
import { shortIds } from './ids.js';
import { table } from './table.js';
import { hang } from './wrap.js';

const COLUMNS = [
  { title: 'DEVICE' },
  { title: 'NODE' },
  { title: 'STATE' },
  { title: 'SCORE', align: 'right' },
  { title: 'EXECS', align: 'right' },
  { title: 'WRONG', align: 'right' },
  { title: 'SEEN' },
  { title: 'NOTE' },
] as const;
const NODE_WIDTH = 13;

/** One line for each device, in 80 columns. */
export function gpuTable(gpus: readonly GpuHealth[], nowUs: bigint): string {
  if (gpus.length === 0) return 'No device is registered yet.';
  const short = shortIds(gpus.map((gpu) => gpu.gpu));
  return table(
    COLUMNS,
    gpus.map((gpu) => [short.get(gpu.gpu) ?? gpu.gpu, ...gpuCells(gpu, nowUs)]),
  );
}

function gpuCells(gpu: GpuHealth, nowUs: bigint): string[] {
  return [
    gpu.node.length > NODE_WIDTH ? `${gpu.node.slice(0, NODE_WIDTH - 1)}…` : gpu.node,
    paintState(gpu.state),
    gpu.score.toFixed(3),
    compactCount(gpu.executions),
    gpu.failures === 0n ? '0' : paint('red', compactCount(gpu.failures)),
    age(gpu.lastSeenUs, nowUs),
    [injectedMark(gpu.injected), gpu.connected ? '' : paint('yellow', 'away'), wouldBe(gpu)]
      .filter((part) => part !== '')
      .join(' '),
  ];
}

function wouldBe(gpu: GpuHealth): string {
  return gpu.wouldBe === GpuState.UNSPECIFIED ? '' : paint('yellow', `would be ${stateName(gpu.wouldBe)}`);
}

/** The fleet in a few lines. */
export function fleetSummary(summary: FleetSummary): string {
  const states = [
    `${summary.healthy} healthy`,
    summary.suspect > 0 ? paint('yellow', `${summary.suspect} suspect`) : '',
    summary.quarantined > 0 ? paint('red', `${summary.quarantined} quarantined`) : '',
    summary.deepTest > 0 ? paint('cyan', `${summary.deepTest} in deep test`) : '',
    summary.condemned > 0 ? paint('red', `${summary.condemned} condemned`) : '',
    summary.injectedGpus > 0 ? paint('magenta', `${summary.injectedGpus} INJECTED`) : '',
  ].filter((part) => part !== '');
  const evidence = [
    `${count(summary.executions)} executions, ${count(summary.failures)} wrong`,
    `${plural(summary.connectedAgents, 'agent')} connected`,
    `mode ${summary.mode}`,
    summary.outboxPending === 0n ? '' : paint('yellow', `${count(summary.outboxPending)} waiting for the ledger`),
  ].filter((part) => part !== '');
  const size = `${plural(summary.gpus, 'device')} on ${plural(summary.nodes, 'node')}`;
  return [...hang('Fleet     ', `${size}: ${states.join(', ')}`), ...hang('Evidence  ', evidence.join('; '))].join(
    '\n',
  );
}

/** Bursts, follow-ups and deep tests under way, with their counts. */
export function directiveLines(gpu: GpuHealth): string[] {
  return gpu.directives.filter((directive) => !directive.finished).map((directive) => `  ${directiveText(directive)}`);
}

export function directiveText(directive: DirectiveProgress): string {
  const unit = directive.family === 0 ? '' : ` ${familyName(directive.family)} on SM ${directive.sm}`;
  const wrong = directive.failures > 0n ? `, ${paint('red', `${count(directive.failures)} wrong`)}` : '';
  const progress =
    directive.wanted > 0n ? `${count(directive.done)} of ${count(directive.wanted)}` : count(directive.done);
  return `${directive.kind}${unit}: ${progress} executions${wrong}${directive.finished ? ', finished' : ''}`;
}

import type { AuditEntry } from '@sentinel/contracts/sentinel/v1/audit.js';
import type {
  ExplainDecisionResponse,
  GpuHealth,
  HistoryEvent,
  HistorySample,
} from '@sentinel/contracts/sentinel/v1/health.js';
import { auditTable } from './audit.js';
import { bullets, gateLines, section, transitionLines } from './explain.js';
import { paint, plural, time } from './format.js';
import { headLines } from './gpu.js';
import { observationLines } from './observation.js';
import { hang } from './wrap.js';

/** What the sensors and the agent said around a wrong result, oldest first. */
export interface Surroundings {
  readonly aroundUs: bigint;
  readonly telemetry: readonly HistorySample[];
  readonly events: readonly HistoryEvent[];
}

export interface Report {
  readonly madeUs: bigint;
  readonly health: GpuHealth;
  readonly explanation: Omit<ExplainDecisionResponse, 'health'>;
  readonly surroundings: readonly Surroundings[];
  /** `error` null = the ledger answered. */
  readonly ledger: { readonly entries: readonly AuditEntry[]; readonly error: string | null };
}

/** The report as a text to be sent along with the device. */
export function replacementReport(report: Report): string {
  const { health, explanation, madeUs } = report;
  const { observations, hardObservations: counted, answers } = explanation;
  return [
    paint('bold', `Replacement report, made ${time(madeUs)}`),
    '',
    ...headLines(health, madeUs),
    ...(health.serial === '' ? ['serial   not reported by the device'] : []),
    ...section('Why', bullets(explanation.sentences)),
    ...section('Timeline', explanation.transitions.toReversed().flatMap(transitionLines)),
    ...section(
      `Wrong results, newest first (${observations.length} listed): ${counted} counted, ${answers} in answer to an earlier one`,
      observationLines(explanation, observations.length),
    ),
    ...section('Gates of the decision', explanation.gates.flatMap(gateLines)),
    ...section('Temperature and power around the wrong results', report.surroundings.flatMap(circumstances)),
    ...section('Entries of the audit ledger', ledgerLines(report.ledger)),
  ].join('\n');
}

function circumstances({ aroundUs, telemetry, events }: Surroundings): string[] {
  const ranges = [
    range(telemetry, ['temperature_c'], '°C'),
    range(telemetry, ['power_instant_w', 'power_average_w', 'power_w'], 'W'),
  ].filter((text) => text !== '');
  const facts = ranges.length === 0 ? 'no sample' : `${ranges.join(', ')} in ${plural(telemetry.length, 'sample')}`;
  return [
    ...hang(`  ${time(aroundUs)}  `, facts),
    ...events.flatMap(({ timeUs, event, detail }) => hang(`    ${time(timeUs)}  `, `${event}: ${detail}`)),
  ];
}

/** Of the first of these fields that any sample has. */
function range(samples: readonly HistorySample[], fields: readonly string[], unit: string): string {
  const field = fields.find((name) => samples.some(({ values }) => values[name] !== undefined));
  if (field === undefined) return '';
  const found = samples.flatMap(({ values }) => values[field] ?? []);
  const [low, high] = [Math.min(...found), Math.max(...found)];
  return low === high ? `${low} ${unit}` : `${low} to ${high} ${unit}`;
}

function ledgerLines({ entries, error }: Report['ledger']): string[] {
  if (error !== null) return hang('  ', `None: ${error}`);
  if (entries.length === 0) return ['  None.'];
  const lines = auditTable(entries.toReversed()).split('\n');
  return lines.map((line) => `  ${line}`);
}

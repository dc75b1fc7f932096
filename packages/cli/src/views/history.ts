import type {
  GetGpuHistoryResponse,
  HistoryEvent,
  HistoryRun,
  HistorySample,
} from '@sentinel/contracts/sentinel/v1/health.js';
import { familyName, injectedMark, kindName, paint, plural, time } from './format.js';
import { table } from './table.js';
import { hang } from './wrap.js';

/** Runs as a table, then events and what changed in the device's sensors. */
export function historyView({ runs, telemetry, events }: Omit<GetGpuHistoryResponse, 'nextPageToken'>): string {
  return [
    historyTable(runs),
    ...section('Events', events.flatMap(eventLines)),
    ...section('Telemetry', telemetry.flatMap(sampleLines)),
  ].join('\n');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', paint('bold', title), ...lines];
}

function eventLines({ timeUs, event, detail, injected }: HistoryEvent): string[] {
  const name = event.replaceAll('_', ' ');
  const text = [detail === '' ? name : `${name}: ${detail}`, injectedMark(injected)].filter((part) => part !== '');
  return hang(`  ${time(timeUs)}  `, text.join(' '));
}

/** A whole sample is only counted: `gpus show` and --output json have its fields. */
function sampleLines({ timeUs, values, texts, partial }: HistorySample): string[] {
  const fields = [...Object.entries(values), ...Object.entries(texts)];
  const text = partial
    ? fields.map(([name, value]) => `${name} ${value}`).join(', ')
    : `all ${plural(fields.length, 'field')}`;
  return hang(`  ${time(timeUs)}  `, text);
}

/** Runs, newest first; WRONG: the SMs that computed wrong results. */
function historyTable(runs: readonly HistoryRun[]): string {
  if (runs.length === 0) return 'The history has no run of this device in that time.';
  return table(
    [
      { title: 'TIME' },
      { title: 'FAMILY' },
      { title: 'KIND' },
      { title: 'SEED', align: 'right' },
      { title: 'SMS', align: 'right' },
      { title: 'WRONG' },
      { title: 'NOTE' },
    ],
    runs.map((run) => [
      time(run.timeUs),
      familyName(run.family),
      kindName(run.kind),
      `${run.epoch}:${run.index}`,
      run.smsRun < run.smsPlanned ? paint('yellow', `${run.smsRun} of ${run.smsPlanned}`) : String(run.smsRun),
      run.failedSms.length === 0 ? '-' : paint('red', run.failedSms.join(' ')),
      injectedMark(run.injected),
    ]),
  );
}

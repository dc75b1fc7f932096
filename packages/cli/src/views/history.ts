import type { HistoryRun } from '@sentinel/contracts/sentinel/v1/health.js';
import { familyName, injectedMark, kindName, paint, time } from './format.js';
import { table } from './table.js';

/** Runs, newest first; WRONG: the SMs that computed wrong results. */
export function historyTable(runs: readonly HistoryRun[]): string {
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

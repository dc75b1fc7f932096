/** The report as a table for spreadsheets, which take a cell that begins like a formula for one: such cells get a quote before them. */
import type { Report } from './model.js';

const COLUMNS = [
  'section',
  'control',
  'figure',
  'label',
  'value',
  'injected',
  'seq',
  'time',
  'event',
  'gpu',
  'what',
  'actor',
  'proposed_by',
  'persons',
  'reason',
] as const;

type Row = { readonly [column in (typeof COLUMNS)[number]]?: string | number };

/** RFC 4180, each row with its end. The offline verifiers write the same, byte by byte. */
export function reportCsv(report: Report): Buffer {
  const rows = [COLUMNS, ...Array.from(rowsOf(report), (row) => COLUMNS.map((column) => row[column] ?? ''))];
  return Buffer.from(rows.map((row) => `${row.map(cell).join(',')}\r\n`).join(''));
}

function cell(value: string | number): string {
  const text = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/u.test(String(value)) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function* rowsOf(report: Report): Generator<Row> {
  const { log, period, entries, seals, hours } = report;
  const fact = (figure: string, label: string, value: string | number): Row => ({
    section: 'log',
    figure,
    label,
    value,
  });
  yield fact('origin', 'Log', log.origin);
  yield fact('size', 'Entries that the checkpoint signs', log.size);
  yield fact('first', 'First entry of the period', period.first);
  yield fact('last', 'Last entry of the period', period.last);
  yield fact('first_received', 'Taken at', period.first_received);
  yield fact('last_received', 'Taken at', period.last_received);
  yield fact('details_missing', 'Entries whose details are gone', entries.details_missing);
  yield fact('leaves_pruned', 'Entries that are gone, by the seals', entries.leaves_pruned);
  yield fact('seals', 'Seals within the period', seals.inside);
  yield fact('seals_agree', 'Seals that agree with the entries', seals.agree);
  yield fact('hours', 'Hours', hours.total);
  yield fact('hours_silent', 'Hours in which nothing was logged', hours.silent);
  for (const [type, count] of Object.entries(entries.by_type))
    yield {
      section: 'types',
      figure: type,
      label: `Entries of type ${type}`,
      value: count.entries,
      injected: count.injected,
    };
  for (const { type, event, entries: value, injected } of report.events)
    yield { section: 'events', figure: type, label: event, value, injected };
  for (const { id: control, shows } of report.controls)
    for (const { id: figure, label, value, injected } of shows)
      yield { section: 'controls', control, figure, label, value, injected };
  for (const [from, to] of hours.silent_ranges) yield { section: 'silent', time: from, what: `until ${to}` };
  for (const { seq, time, event, gpu, what, actor, proposed_by, persons, reason, injected } of report.actions)
    yield {
      section: 'actions',
      seq,
      time,
      event,
      gpu,
      what,
      actor,
      proposed_by,
      persons,
      reason,
      injected: injected ? 1 : 0,
    };
}

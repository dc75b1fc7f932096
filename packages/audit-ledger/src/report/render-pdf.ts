/** The report for people: what the log shows for each control, what it does not show, and how to check that. */
import type { Action, CitedEntry, Control, Figure, Report } from './model.js';
import { AMBER, type Cell, type Column, PdfPage } from './pdf-page.js';
import { reportDigest } from './render-json.js';

/** Rows on paper; report.json and report.csv have all. */
const MAX_CITED_ROWS = 12;
const MAX_ACTION_ROWS = 200;
const MAX_SILENT_ROWS = 30;
const MAX_REASON = 140;

const FIGURES: readonly Column[] = [
  { title: 'What the log shows', share: 60 },
  { title: 'Entries', share: 12, right: true },
  { title: 'Injected by tests', share: 14, right: true },
  { title: 'Newest entry', share: 14, right: true },
];
const ENTRIES: readonly Column[] = [
  { title: 'Entry', share: 9, right: true },
  { title: 'Time (UTC)', share: 19 },
  { title: 'Event', share: 23 },
  { title: 'Device', share: 35 },
  { title: 'By', share: 14 },
];
const ACTIONS: readonly Column[] = [
  { title: 'Entry', share: 8, right: true },
  { title: 'Time (UTC)', share: 17 },
  { title: 'Action and reason', share: 29 },
  { title: 'Device or node', share: 19 },
  { title: 'By', share: 12 },
  { title: 'Proposed by', share: 12 },
  { title: 'Behind it', share: 14 },
];

export async function reportPdf(report: Report): Promise<Buffer> {
  const { log, period } = report;
  const footer = [
    `${log.origin} at ${number(log.size)} entries, root ${log.root.slice(0, 16)}`,
    `SHA-256 of report.json: ${reportDigest(report)}`,
  ];
  const page = new PdfPage(report.title, footer, new Date(period.last_received));
  page.banner(
    'SENTINEL AUDIT LEDGER',
    report.title,
    `${day(period.first_received)} to ${day(period.last_received)} UTC, ${log.origin}`,
  );
  summary(page, report);
  for (const control of report.controls) section(page, control, report.cited);
  coverage(page, report);
  actions(page, report);
  checking(page, report);
  return await page.finish();
}

function summary(page: PdfPage, { entries, period, log, seals, controls, actions: rows, actions_more }: Report): void {
  const injected = Object.values(entries.by_type).reduce((sum, type) => sum + type.injected, 0);
  page.facts([
    { label: 'entries in this period', value: number(entries.total) },
    { label: 'of them injected by tests', value: number(injected) },
    { label: 'actions of people', value: number(rows.length + actions_more) },
    { label: 'entries pruned', value: number(entries.leaves_pruned) },
    { label: 'seals that agree', value: `${number(seals.agree)} of ${number(seals.inside)}` },
  ]);
  page.prose(
    `This report covers entries ${number(period.first)} to ${number(period.last)} of the log ${log.origin}, which its key signed at ${number(log.size)} entries. ` +
      'Every figure is a count of log entries by their type and event, never a search in text; the evidence pack beside it holds those entries with proofs, and a program that counts them again. ' +
      'Entries made by test builds are counted apart and are in no figure.',
  );
  if (period.from !== '' || period.to !== '') page.prose(`These are all entries that the ledger took ${span(period)}.`);
  if (entries.details_missing > 0 || entries.leaves_pruned > 0) page.prose(missing(entries), AMBER);
  page.table(
    [
      { title: 'Control', share: 14 },
      { title: 'Speaks of', share: 66 },
      { title: 'Figures', share: 10, right: true },
      { title: 'Not zero', share: 10, right: true },
    ],
    controls.map(({ id, title, today, shows }) => [
      { text: id, bold: true },
      { text: today === undefined ? title : `${title} (2022: ${today})` },
      { text: String(shows.length) },
      { text: String(shows.filter(({ value }) => value > 0).length) },
    ]),
  );
  page.table(
    [
      { title: 'Entries by type', share: 40 },
      { title: 'Entries', share: 20, right: true },
      { title: 'Injected by tests', share: 20, right: true },
      { title: 'Pruned, by the seals', share: 20, right: true },
    ],
    Object.entries(entries.by_type).map(([type, count]) => [
      { text: type },
      { text: number(count.entries) },
      injectedCell(count.injected),
      { text: number(count.pruned) },
    ]),
  );
}

function span({ from, to }: Report['period']): string {
  const end = to === '' ? '' : `until before ${minute(to)} UTC`;
  return `${from === '' ? '' : `from ${minute(from)} UTC `}${end}`.trimEnd();
}

function missing({ details_missing, leaves_pruned, pruned_of_unknown_type }: Report['entries']): string {
  return (
    `Not all of the period is there any more: the details of ${number(details_missing)} entries are gone, so that no figure below counts them, ` +
    `and ${number(leaves_pruned)} entries are gone altogether. Seals say of what type these were, but for ${number(pruned_of_unknown_type)}.`
  );
}

function section(page: PdfPage, { id, title, today, shows, not_shown }: Control, cited: readonly CitedEntry[]): void {
  page.heading(
    `${id}  ${title}`,
    today === undefined ? '' : `ISO/IEC 27001:2013 Annex A; in the 2022 edition: ${today}`,
  );
  page.table(FIGURES, shows.map(figureRow));
  const seqs = new Set(shows.flatMap((figure) => figure.cited));
  const entries = cited.filter(({ seq }) => seqs.has(seq));
  if (entries.length > 0) {
    page.subheading(
      `Newest entries behind these figures${entries.length > MAX_CITED_ROWS ? ` (${MAX_CITED_ROWS} of ${entries.length} cited)` : ''}`,
    );
    page.table(ENTRIES, entries.slice(-MAX_CITED_ROWS).map(entryRow), 8);
  }
  page.subheading('What the log does not show');
  page.bullets(not_shown);
}

function figureRow({ label, value, injected, cited }: Figure): Cell[] {
  const newest = cited.at(-1);
  const color = value === 0 ? { color: '#8a949e' } : {};
  return [
    { text: label, ...color },
    { text: number(value), bold: value > 0, ...color },
    injectedCell(injected),
    { text: newest === undefined ? '' : number(newest), ...color },
  ];
}

function entryRow({ seq, time, event, gpu, actor, injected }: CitedEntry): Cell[] {
  const row = [number(seq), minute(time), words(event), gpu, actor].map((text) => ({ text }));
  return injected
    ? row.map((cell, i) => ({ text: i === 2 ? `${cell.text} (INJECTED)` : cell.text, color: AMBER }))
    : row;
}

function coverage(page: PdfPage, { hours, seals, entries }: Report): void {
  page.heading('Gaps in coverage');
  page.prose(
    `Of ${number(hours.total)} hours from ${minute(hours.from)} to ${minute(hours.to)} UTC, ${number(hours.silent)} have no entry from any component of the fleet. ` +
      'Passing runs are not logged, so such an hour may have been quiet, or nothing may have run in it: the log alone cannot tell.',
  );
  const shown = hours.silent_ranges.slice(0, MAX_SILENT_ROWS);
  if (shown.length > 0) {
    const columns = [
      { title: 'Nothing logged from', share: 40 },
      { title: 'until', share: 40 },
      { title: 'hours', share: 20, right: true },
    ];
    page.table(
      columns,
      shown.map(([from, to]) => [
        { text: minute(from) },
        { text: minute(to) },
        { text: number((Date.parse(to) - Date.parse(from)) / 3_600_000) },
      ]),
    );
  }
  if (hours.silent_ranges.length > shown.length)
    page.prose(`And ${number(hours.silent_ranges.length - shown.length)} more ranges, in report.json.`);
  page.prose(
    `Seals state what was logged since the seal before, and survive pruning: ${number(seals.inside)} lie within the period, ${number(seals.agree)} agree with the entries that are there` +
      `${seals.broken === 0 ? '' : `, and ${number(seals.broken)} leave something out`}. ${entries.leaves_pruned === 0 ? 'Nothing was pruned.' : `${number(entries.leaves_pruned)} entries are counted by them alone.`}`,
  );
}

function actions(page: PdfPage, { actions: rows, actions_more }: Report): void {
  page.heading(
    'What people did',
    'Entries that name a person; two persons means that one proposed and another approved',
  );
  const shown = rows.slice(-MAX_ACTION_ROWS);
  if (shown.length === 0) return page.prose('Nobody did anything in this period.');
  page.table(ACTIONS, shown.map(actionRow), 7.5);
  const more = rows.length - shown.length + actions_more;
  if (more > 0) page.prose(`And ${number(more)} earlier ones, in report.csv.`);
}

function actionRow({
  seq,
  time,
  event,
  what,
  gpu,
  node,
  actor,
  proposed_by,
  persons,
  reason,
  injected,
}: Action): Cell[] {
  const why = reason === '' ? '' : `\n${reason.slice(0, MAX_REASON)}`;
  const action = `${words(event)}${what === '' ? '' : `: ${what}`}`;
  const color = injected ? { color: AMBER } : {};
  const cells = [
    number(seq),
    minute(time),
    `${action}${injected ? ' (INJECTED)' : ''}${why}`,
    gpu || node,
    actor,
    proposed_by,
  ];
  return [...cells.map((text) => ({ text, ...color })), { text: persons, bold: persons === 'two persons', ...color }];
}

function checking(page: PdfPage, { log }: Report): void {
  page.heading('How to check this report');
  page.prose(
    'Unpack the evidence on any machine with Node 18 or Python 3.8, or newer; no network is needed. Ask the operator for the verifier key by another way than this report:',
  );
  page.code(
    'mkdir pack && tar -xf EVIDENCE.tar -C pack\n' +
      'node pack/verify.mjs pack --key "THE KEY YOU WERE TOLD"      or: python3 pack/verify.py pack --key "..."',
  );
  page.prose(`The key that made this report is ${log.verifier_key}; it proves nothing if it comes from here alone.`);
  page.prose(
    'It checks the signature, that every entry of the period is there and unaltered, and that report.json and report.csv come out again; then it says in a sentence what that proves and what it does not. ' +
      'This paper it cannot check: each of its pages ends with the SHA-256 of report.json, which the program prints; read it beside that file.',
  );
}

function injectedCell(count: number): Cell {
  return count === 0 ? { text: '' } : { text: number(count), color: AMBER, bold: true };
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function words(event: string): string {
  return event.replaceAll('_', ' ');
}

function minute(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

function day(iso: string): string {
  return iso.slice(0, 10);
}

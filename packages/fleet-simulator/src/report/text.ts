import type { Quantiles } from '../figures/quantiles.js';
import { spoken } from './hours.js';
import type { FaultSummary, Summary } from './summary.js';

/** The report for a terminal. */
export function textReport(summary: Summary): string {
  const { scenario, description, notes, seed, replicates, gpus, hours, digest, leftOut } = summary;
  const head = `${scenario}: ${gpus} GPUs, ${spoken(hours)}, ${replicates === 1 ? 'one run' : `${replicates} runs`}, seed ${seed}`;
  const faults = summary.faults.length === 0 ? [] : ['', faultTable(summary.faults)];
  const note = leftOut === 0 ? [] : [`Left out: further failures, ${leftOut} times (limits of the scenario)`];
  return [
    head,
    ...(description === '' ? [] : [description]),
    ...notes,
    ...faults,
    '',
    rows(figuresOf(summary)),
    ...note,
    `Digest of all events: ${digest}`,
  ].join('\n');
}

/** What a report says besides its faults, in words and figures. */
export function figuresOf(summary: Summary): [string, string][] {
  const { falseQuarantines, falseQuarantineRate, falseSuspects, missed, incidents, nodesCordoned, pages, out } =
    summary;
  const rate = falseQuarantines === 0 ? '' : ` (${falseQuarantineRate.toPrecision(2)} per 10,000 GPU-years)`;
  return [
    ['False quarantines', `${falseQuarantines}${rate}`],
    ['Missed', String(missed)],
    ['Suspects without a fault of their own', String(falseSuspects)],
    ['Incidents of software or fleet', String(incidents)],
    ['Nodes cordoned', String(nodesCordoned)],
    ['Pages', String(pages)],
    ['Out of service after a fault', range(out.fault)],
    ['Out of service after a false quarantine', range(out['false quarantine'])],
    ['Out of service after an order', range(out.order)],
    ['Back in service with a fault that went on', again(summary.backDefective)],
    ['Suspect, then healthy again', range(summary.suspectHours)],
  ];
}

/** The faults, cell by cell, under `FAULT_COLUMNS`. */
export function faultCells(fault: FaultSummary): string[] {
  const { name, right, struck, mismatch, suspect, quarantine, condemn, attributed } = fault;
  return [
    name,
    right,
    String(struck),
    first(mismatch, quarantine),
    first(suspect, quarantine),
    `${quarantine.count} of ${struck}`,
    spoken(quarantine.median),
    spoken(quarantine.p99),
    condemn.count === 0 ? '' : `${condemn.count} of ${struck}`,
    attributed === null
      ? ''
      : `${attributed.count} of ${attributed.count + attributed.missing}: ${spoken(attributed.median)}`,
  ];
}

/** A GPU may have been taken out for another fault before this one showed. */
function first(own: Quantiles, quarantine: Quantiles): string {
  return own.count === 0 && quarantine.count > 0 ? 'out before' : spoken(own.median);
}

export const FAULT_COLUMNS = [
  'fault',
  'right is',
  'GPUs',
  'first mismatch',
  'suspect',
  'quarantined',
  'median',
  '99 %',
  'shown again',
  'nodes named',
] as const;

function faultTable(faults: readonly FaultSummary[]): string {
  return columns([[...FAULT_COLUMNS], ...faults.map(faultCells)]);
}

function range({ count, median, p99 }: Quantiles): string {
  return count === 0 ? 'none' : `${count}: median ${spoken(median)}, 99 % ${spoken(p99)}`;
}

/** Hours until they were out again. */
function again({ count, missing, median }: Quantiles): string {
  if (count + missing === 0) return 'none';
  return `${count + missing}: out again ${count}${count === 0 ? '' : `, median ${spoken(median)}`}`;
}

function rows(pairs: readonly (readonly [string, string])[]): string {
  return columns(pairs.map(([name, value]) => [name, value]));
}

/** Aligned; a column without content is left out. */
function columns(cells: readonly (readonly string[])[]): string {
  const used = (cells[0] ?? []).map((_, i) => i).filter((i) => i === 0 || cells.slice(1).some((row) => row[i] !== ''));
  const width = (i: number): number => Math.max(...cells.map((row) => row[i]?.length ?? 0));
  return cells
    .map((row) =>
      used
        .map((i) => (row[i] ?? '').padEnd(width(i)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

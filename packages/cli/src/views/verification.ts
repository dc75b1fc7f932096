import type { Checkpoint, VerifyReport } from '@sentinel/audit-ledger/verify';
import type { TrustedKey } from '../pinned-key.js';
import { count, paint, plural } from './format.js';
import { hang } from './wrap.js';

/** A verification with what it rests on. */
export interface Verification {
  readonly report: VerifyReport;
  readonly trusted: TrustedKey;
  /** Checkpoint that verified earlier and that this one had to extend. */
  readonly known: Checkpoint | null;
  readonly full: boolean;
  /** Key and checkpoint are remembered for the next time. */
  readonly kept: boolean;
}

const SHOWN = 10;

/** What was proven, and what was not, as sentences. */
export function verificationText(verification: Verification): string {
  const { ok } = verification.report;
  const lines = ok
    ? hang(`${paint('green', 'VERIFIED')}    `, proven(verification))
    : [...hang(`${paint('red', 'TAMPERED')}    `, broken(verification)), ...findingLines(verification.report)];
  return [...lines, ...hang('not proven  ', notProven(verification))].join('\n');
}

function proven({ report, trusted, known, full }: Verification): string {
  const { checkpoint, firstSeq, entries, details } = report;
  const what =
    entries === 0
      ? 'The log is empty, as'
      : `Entries ${firstSeq} to ${firstSeq + entries - 1} are, byte for byte and in this order, what`;
  const sentences = [
    `${what} ${checkpoint?.origin ?? 'the log'} signed at size ${count(checkpoint?.size ?? 0)}.`,
    known === null
      ? ''
      : `Nothing of what was verified last time (${plural(known.size, 'entry', 'entries')}) was changed or removed.`,
    handedOver(report, trusted),
    full ? `${plural(details, 'detail is what its entry', 'details are what their entries')} committed to.` : '',
  ];
  return sentences.filter((sentence) => sentence !== '').join(' ');
}

/** Where another key signs than the one that is trusted. */
function handedOver({ followed }: VerifyReport, { key }: TrustedKey): string {
  if (followed === undefined || followed.key.text === key.text) return '';
  return `The key that you trust handed the log over, by entries that both keys signed; ${followed.key.text} signs now.`;
}

function broken({ report }: Verification): string {
  return `${plural(report.found, 'finding')}: what the ledger serves is not what was signed.`;
}

function findingLines({ findings, found }: VerifyReport): string[] {
  const lines = findings.slice(0, SHOWN).flatMap(({ seq, what }) => hang(`  entry ${seq}: `, what));
  return found > SHOWN ? [...lines, `  … and ${count(found - SHOWN)} more (--output json)`] : lines;
}

/** What the log itself says is gone. */
function prunedSentence({ prunedLeaves, prunedDetails }: VerifyReport): string {
  const parts = [
    prunedLeaves && `${plural(prunedLeaves.count, 'entry', 'entries')} up to ${prunedLeaves.last}`,
    prunedDetails && `${plural(prunedDetails.count, 'detail')} up to entry ${prunedDetails.last}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0
    ? ''
    : `Pruned, as entries of the log announced: ${parts.join(' and ')}; their hashes are as signed, what they said is gone.`;
}

function notProven({ report, trusted, full, known, kept }: Verification): string {
  const sentences = [
    trusted.from === 'first use'
      ? `The key came from the ledger itself just now${kept ? ' and is pinned from here on' : ''}: compare ${trusted.key.text} with what its keeper published.`
      : '',
    report.firstSeq > 0 ? `Entries before ${report.firstSeq} were not read.` : '',
    prunedSentence(report),
    full ? '' : 'Details were not held against their entries (--full does).',
    report.ok && known === null ? 'There was no earlier checkpoint to compare with.' : '',
    report.ok && !kept && trusted.from !== 'flag'
      ? 'The data folder may not be written, so nothing is remembered for next time.'
      : '',
    'That what was reported to the ledger was true, and complete, no log can prove.',
  ];
  return sentences.filter((sentence) => sentence !== '').join(' ');
}

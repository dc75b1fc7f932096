/** A verification as a person reads it. */
import type { Streams } from '@sentinel/service-kit/config';
import { EXIT } from '@sentinel/service-kit/errors';
import type { PrunedRange } from '../verify/pruned-check.js';
import type { VerifyReport } from '../verify/verify-log.js';

const SHOWN = 10;
const PROGRESS_ENTRIES = 100_000;

/** @returns the exit status */
export function printReport(report: VerifyReport, { stdout }: Streams, verbose: boolean): number {
  const { ok, firstSeq, entries, details, findings, found, checkpoint } = report;
  if (ok) {
    const range = entries === 0 ? 'no entries' : `entries ${firstSeq} to ${firstSeq + entries - 1}`;
    stdout.write(
      `ok: ${range} (${details} details) are what ${checkpoint?.origin ?? 'the log'} signed at ${checkpoint?.size ?? 0} entries\n`,
    );
    stdout.write(prunedText('details', report.prunedDetails) + prunedText('entries', report.prunedLeaves));
    return EXIT.ok;
  }
  stdout.write(`TAMPERED: ${found} ${found === 1 ? 'finding' : 'findings'}\n`);
  for (const { seq, what } of findings.slice(0, verbose ? findings.length : SHOWN))
    stdout.write(`  entry ${seq}: ${what}\n`);
  if (!verbose && found > SHOWN) stdout.write(`  and ${found - SHOWN} more (--verbose)\n`);
  return EXIT.negative;
}

/** What was not there to be verified, because the log itself says that it was pruned. */
function prunedText(what: string, range: PrunedRange | undefined): string {
  if (range === undefined) return '';
  return `pruned: ${range.count} ${what} of entries ${range.first} to ${range.last}, as the log says; their hashes are as signed\n`;
}

export function progress({ stderr }: Streams): (verified: number, total: number) => void {
  let next = PROGRESS_ENTRIES;
  return (verified, total) => {
    if (verified < next && verified < total) return;
    stderr.write(`${verified} of ${total} entries\n`);
    next = verified + PROGRESS_ENTRIES;
  };
}

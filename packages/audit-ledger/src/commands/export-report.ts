/** The verification of an export as a person reads it. */
import type { Streams } from '@sentinel/service-kit/config';
import { EXIT } from '@sentinel/service-kit/errors';
import type { ExportReport } from '../export/verify-export.js';

const SHOWN = 10;

/** @returns the exit status */
export function printExportReport(report: ExportReport, { stdout }: Streams, verbose: boolean): number {
  const { ok, checkpoint, manifest, findings, found } = report;
  if (ok && checkpoint !== undefined && manifest !== undefined) {
    const { first, last, details } = manifest;
    const lacking = last - first + 1 - details;
    const absent = lacking === 0 ? '' : `; ${lacking} details are no longer in the log, and nothing is said about them`;
    stdout.write(
      `ok: entries ${first} to ${last} (${details} details) are what ${checkpoint.origin} signed at ${checkpoint.size} entries${absent}\n`,
    );
    return EXIT.ok;
  }
  stdout.write(`TAMPERED: ${found} ${found === 1 ? 'finding' : 'findings'}\n`);
  const shown = findings.slice(0, verbose ? findings.length : SHOWN);
  for (const { seq, what } of shown) stdout.write(`  ${seq === undefined ? '' : `entry ${seq}: `}${what}\n`);
  if (found > shown.length) stdout.write(`  and ${found - shown.length} more${verbose ? '' : ' (--verbose)'}\n`);
  return EXIT.negative;
}

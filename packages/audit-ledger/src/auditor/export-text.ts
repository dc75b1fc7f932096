/** The verification of an export as a person reads it. */
import type { Manifest } from '../export/manifest.js';
import type { ExportReport } from '../export/verify-export.js';

const SHOWN = 10;

/** Lines, each with its end. `verbose`: every finding that is listed. */
export function exportText({ ok, checkpoint, manifest, made, findings, found }: ExportReport, verbose = false): string {
  if (ok && checkpoint !== undefined && manifest !== undefined) {
    const { first, last, details } = manifest;
    const lacking = last - first + 1 - details;
    const absent =
      lacking === 0 ? '' : `; ${lacking} details were pruned, as the log says, and nothing is said about them`;
    return `ok: entries ${first} to ${last} (${details} details) are what ${checkpoint.origin} signed at ${checkpoint.size} entries${absent}${madeBy(made)}${unread(manifest)}\n`;
  }
  const shown = findings.slice(0, verbose ? findings.length : SHOWN);
  const lines = shown.map(({ seq, what }) => `  ${seq === undefined ? '' : `entry ${seq}: `}${what}\n`);
  const more = found > shown.length ? `  and ${found - shown.length} more${verbose ? '' : ' (--verbose)'}\n` : '';
  return `TAMPERED: ${found} ${found === 1 ? 'finding' : 'findings'}\n${lines.join('')}${more}`;
}

function madeBy(made: ExportReport['made']): string {
  return made === undefined ? '' : `; signed as made by ${made.by} at ${made.at}`;
}

/** What an evidence pack holds besides: the programs in it count that again. */
function unread({ files }: Manifest): string {
  return 'report.json' in files
    ? '; NOT looked at: report.json, report.csv and report.pdf, which verify.mjs or verify.py in the pack counts again'
    : '';
}

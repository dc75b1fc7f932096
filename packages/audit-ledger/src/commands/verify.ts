import { SentinelError } from '@sentinel/service-kit/errors';
import type { Checkpoint } from '../note/checkpoint.js';
import type { VerifierKey } from '../note/keys.js';
import { NoteError } from '../note/note.js';
import { linkedKeys, openByAny } from '../note/rotation.js';
import { verifierKeyOf } from '../settings.js';
import { openSigned } from '../storage/open-signed.js';
import { selectBackend } from '../storage/select-backend.js';
import { claimedRotations } from '../verify/followed-key.js';
import { type VerifyReport, verifyLog } from '../verify/verify-log.js';
import { attest } from './attest.js';
import type { Command } from './index.js';
import { printReport, progress } from './report.js';
import { verifyExportAt } from './verify-export.js';
import { verifyInParts } from './verify-in-parts.js';

/** Reads what is stored itself, also while a writer is at work. */
export const verify: Command = async (program, streams) => {
  const { config, flags } = program;
  const { depth, full, verbose, 'from-export': archive } = flags;
  if (archive !== undefined) return await verifyExportAt(archive, program, streams);
  if (full === (depth !== undefined)) {
    throw new SentinelError({
      code: 'INVALID_ARGUMENT',
      field: '--depth',
      message: 'verify needs either --depth N or --full',
    });
  }
  const verifier = verifierKeyOf(config);
  const backend = selectBackend(config);
  // Read before the log, which a writer may extend meanwhile.
  const guards = await backend.guards();
  const source = await openSigned(backend, verifier);
  try {
    const guard = newestOf(guards, linkedKeys(verifier, await claimedRotations(source)));
    const options = {
      ...(depth === undefined ? {} : { depth }),
      ...(guard === undefined || guard instanceof NoteError ? {} : { known: guard }),
      ...(verbose ? { progress: progress(streams) } : {}),
    };
    const { report: found, note } = (full ? await verifyInParts(backend, verifier, options) : undefined) ?? {
      report: await verifyLog(source, verifier, options),
      note: await source.checkpoint(),
    };
    const report = guard instanceof NoteError ? withFinding(found, `${backend.guardPlace}: ${guard.message}`) : found;
    if (flags.attest) attest(program, streams, { report, note, logKey: (found.followed?.key ?? verifier).text });
    return printReport(report, streams, verbose);
  } finally {
    await source.close();
  }
};

/** The largest, all of which must be by keys of the log. */
function newestOf(notes: readonly string[], keys: readonly VerifierKey[]): Checkpoint | NoteError | undefined {
  try {
    return notes.map((note) => openByAny(note, keys)).toSorted((a, b) => b.size - a.size)[0];
  } catch (error) {
    if (error instanceof NoteError) return error;
    throw error;
  }
}

/** What speaks of the log as a whole is said of its newest entry. */
function withFinding(report: VerifyReport, what: string): VerifyReport {
  const seq = Math.max((report.checkpoint?.size ?? 1) - 1, 0);
  return { ...report, ok: false, findings: [...report.findings, { seq, what }], found: report.found + 1 };
}

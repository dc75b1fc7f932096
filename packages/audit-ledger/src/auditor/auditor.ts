/** What auditors order, of a log that lies here or is served elsewhere: a copy, or a report with its evidence. Each is verified once it is written. */
import { SentinelError } from '@sentinel/service-kit/errors';
import { openArchive } from '../archive/reader.js';
import { type ArchiveWriter, writeArchive } from '../archive/writer.js';
import type { ExportMaker } from '../attest/export-statement.js';
import { exportLog } from '../export/export-log.js';
import { offlineFiles } from '../export/offline-files.js';
import { type Period, rangeOf } from '../export/period.js';
import { type ExportReport, verifyExport } from '../export/verify-export.js';
import type { Checkpoint } from '../note/checkpoint.js';
import type { VerifierKey } from '../note/keys.js';
import { NoteError } from '../note/note.js';
import { makeEvidence, type ReportFiles } from '../report/evidence.js';
import type { Framework } from '../report/model.js';
import { claimedRotations, followCheckpoint, proveRotations } from '../verify/followed-key.js';
import type { LogSource } from '../verify/source.js';
import { inconsistency } from '../verify/verify-log.js';

export interface AuditedLog {
  readonly source: LogSource;
  readonly verifier: VerifierKey;
  readonly period: Period;
  /** Who signs for having made the copy; undefined = nobody. */
  readonly maker?: ExportMaker | undefined;
  /** A checkpoint seen earlier, which the log must extend. */
  readonly known?: Checkpoint;
  readonly progress?: (verified: number, total: number) => void;
}

export interface MadeReport {
  readonly files: ReportFiles;
  /** Undefined where none was asked for. */
  readonly evidence: ExportReport | undefined;
}

const NOWHERE: ArchiveWriter = { add: () => Promise.resolve() };

/** @param output a new folder, or a new file that ends in `.tar` */
export async function copyLog(output: string, log: AuditedLog): Promise<ExportReport> {
  const opened = await openLog(log);
  await writeArchive(output, (archive) => exportLog({ ...opened, maker: log.maker, archive, extras: offlineFiles }));
  return await verifyCopy(output, log);
}

/** @param evidence as `output` of `copyLog`; undefined = the report alone */
export async function makeReport(
  framework: Framework,
  evidence: string | undefined,
  log: AuditedLog,
): Promise<MadeReport> {
  const opened = await openLog(log);
  const write = async (archive: ArchiveWriter): Promise<ReportFiles> =>
    await makeEvidence({ ...opened, maker: log.maker, framework, archive, period: log.period });
  const files = evidence === undefined ? await write(NOWHERE) : await writeArchive(evidence, write);
  return { files, evidence: evidence === undefined ? undefined : await verifyCopy(evidence, log) };
}

/** @throws SentinelError DATA_LOSS where it is not signed, FAILED_PRECONDITION where it does not extend what is known of it */
async function openLog({ source, verifier, period, known }: AuditedLog) {
  const note = await source.checkpoint();
  const signed = await followed(note, source, verifier);
  if (known !== undefined) await assertExtends(known, signed.checkpoint, source);
  const range = await rangeOf(period, source, signed.checkpoint.size);
  return { source, note, range, ...signed };
}

async function assertExtends(known: Checkpoint, now: Checkpoint, source: LogSource): Promise<void> {
  const [found] = await inconsistency(known, now, source);
  if (found === undefined) return;
  throw new SentinelError({
    code: 'FAILED_PRECONDITION',
    message: `TAMPERED: nothing is copied: ${found.what} (${known.size} entries were verified before)`,
    hint: 'Keep the checkpoint that is kept here: it proves it. sentinel audit verify says more.',
  });
}

/** With all keys that the log ever had, for whoever pinned an earlier one. */
async function followed(note: string, source: LogSource, verifier: VerifierKey) {
  try {
    const { checkpoint, key } = await followCheckpoint(note, source, verifier);
    const rotations = await proveRotations(await claimedRotations(source, checkpoint.size), checkpoint, source);
    return { checkpoint, verifierKey: key.text, rotations };
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    throw new SentinelError({ code: 'DATA_LOSS', message: `nothing is copied: ${cause.message}`, cause });
  }
}

async function verifyCopy(path: string, { verifier, maker, progress }: AuditedLog): Promise<ExportReport> {
  const copy = await openArchive(path);
  try {
    return await verifyExport(copy, verifier, { progress, attestationKey: maker?.key.verifier });
  } finally {
    await copy.close();
  }
}

/** Logs and exports of them, for tests. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeArchive } from '../archive/writer.js';
import type { ExportMaker } from '../attest/export-statement.js';
import type { Draft } from '../commit/build.js';
import { type ExtraFile, exportLog } from '../export/export-log.js';
import type { SeqRange } from '../export/layout.js';
import type { Period } from '../export/period.js';
import { openCheckpoint } from '../note/checkpoint.js';
import { makeEvidence, type ReportFiles } from '../report/evidence.js';
import type { Framework } from '../report/model.js';
import { fileBackend } from '../storage/file/file-backend.js';
import type { LogSource } from '../verify/source.js';
import { draftOf, freshFolder, openTestLedger, requestOf, TEST_KEY } from './ledgers.js';

const BATCH = 1000;
export const TEST_EPOCH_US = 1_700_000_000_000_000;

/** A log of the genesis entry and of drafts, which the ledger takes one millisecond after the other. @returns its folder */
export async function logOf(drafts: readonly Draft[], batch = BATCH): Promise<string> {
  const directory = freshFolder();
  let nowUs = TEST_EPOCH_US;
  const { ledger, close } = await openTestLedger(directory, { nowUs: () => (nowUs += 1000) });
  for (let at = 0; at < drafts.length; at += batch) await ledger.ingest(requestOf(drafts.slice(at, at + batch)));
  await close();
  return directory;
}

/** Of `count` entries, the genesis included. */
export async function logOfSize(count: number, batch = BATCH): Promise<string> {
  return await logOf(
    Array.from({ length: count - 1 }, (_, n) => draftOf(n)),
    batch,
  );
}

/** @param name ends in `.tar` for a file. @returns its path */
export async function exportOf(
  directory: string,
  range: Partial<SeqRange> = {},
  name = 'export',
  extras: readonly ExtraFile[] = [],
): Promise<string> {
  const output = join(mkdtempSync(join(tmpdir(), 'sentinel-export-')), name);
  const source = await fileBackend({ directory }).openSource();
  try {
    const note = await source.checkpoint();
    const checkpoint = openCheckpoint(note, TEST_KEY.verifier);
    const verifierKey = TEST_KEY.verifier.text;
    const whole = { first: 0, last: checkpoint.size - 1, ...range };
    const input = { source, note, checkpoint, verifierKey, range: whole, extras: () => extras };
    await writeArchive(output, (archive) => exportLog({ ...input, archive }));
  } finally {
    await source.close();
  }
  return output;
}

interface EvidenceOptions {
  readonly range?: Partial<SeqRange>;
  readonly period?: Period;
  readonly maker?: ExportMaker;
  /** Of a forger: what the log is said to hold. */
  readonly lie?: (source: LogSource) => LogSource;
}

/** A report and its evidence. @param name ends in `.tar` for a file */
export async function evidenceOf(
  directory: string,
  framework: Framework,
  name = 'pack',
  { range = {}, period = { from: undefined, to: undefined }, maker, lie = (source) => source }: EvidenceOptions = {},
): Promise<{ path: string; files: ReportFiles }> {
  const path = join(mkdtempSync(join(tmpdir(), 'sentinel-evidence-')), name);
  const opened = await fileBackend({ directory }).openSource();
  try {
    const source = lie(opened);
    const note = await source.checkpoint();
    const checkpoint = openCheckpoint(note, TEST_KEY.verifier);
    const whole = { first: 0, last: checkpoint.size - 1, ...range };
    const verifierKey = TEST_KEY.verifier.text;
    const input = { framework, source, note, checkpoint, verifierKey, period, range: whole, maker };
    return { path, files: await writeArchive(path, (archive) => makeEvidence({ ...input, archive })) };
  } finally {
    await opened.close();
  }
}

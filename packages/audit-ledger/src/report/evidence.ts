/** A report and its evidence, in one pass over the log: the pack is an export of the period with the report and proofs of what it cites. */
import type { ArchiveWriter } from '../archive/writer.js';
import type { ExportMaker } from '../attest/export-statement.js';
import { type ExtraFile, exportLog } from '../export/export-log.js';
import type { SeqRange } from '../export/layout.js';
import { offlineFiles } from '../export/offline-files.js';
import type { Period } from '../export/period.js';
import type { Checkpoint } from '../note/checkpoint.js';
import { formatTlogProof } from '../note/tlog-proof.js';
import { NodeReader } from '../tiles/node-reader.js';
import type { ProvedRotation } from '../verify/followed-key.js';
import type { LogSource } from '../verify/source.js';
import { ReportBuilder } from './build-report.js';
import type { Framework, Report } from './model.js';
import { reportCsv } from './render-csv.js';
import { reportJson } from './render-json.js';

export interface EvidenceInput {
  readonly framework: Framework;
  readonly source: LogSource;
  readonly note: string;
  readonly checkpoint: Checkpoint;
  readonly verifierKey: string;
  readonly rotations?: readonly ProvedRotation[];
  readonly period: Period;
  readonly range: SeqRange;
  readonly archive: ArchiveWriter;
  readonly maker?: ExportMaker | undefined;
}

export interface ReportFiles {
  readonly report: Report;
  readonly json: Buffer;
  readonly csv: Buffer;
  readonly pdf: Buffer;
}

export async function makeEvidence(input: EvidenceInput): Promise<ReportFiles> {
  const { framework, source, note, checkpoint, verifierKey, period, range } = input;
  const builder = new ReportBuilder(framework, range);
  let made: ReportFiles | undefined;
  await exportLog({
    ...input,
    onEntry: (entry) => builder.add(entry),
    extras: async function* () {
      made = await render(builder.finish(checkpoint, verifierKey, period, range));
      yield* reportFiles(made);
      yield* proofs(made.report, source, note, checkpoint);
    },
  });
  if (made === undefined) throw new Error('the export asked for no further files');
  return made;
}

async function render(report: Report): Promise<ReportFiles> {
  // Fonts take a quarter of a second to load, which a writer that starts need not wait for.
  const { reportPdf } = await import('./render-pdf.js');
  return { report, json: reportJson(report), csv: reportCsv(report), pdf: await reportPdf(report) };
}

function* reportFiles({ json, csv, pdf }: ReportFiles): Generator<ExtraFile> {
  yield { path: 'report.json', bytes: json };
  yield { path: 'report.csv', bytes: csv };
  yield { path: 'report.pdf', bytes: pdf };
  yield* offlineFiles();
}

/** One proof (C2SP tlog-proof) for each entry that the report cites, for tools that check entries one by one. */
async function* proofs(
  { cited }: Report,
  source: LogSource,
  note: string,
  checkpoint: Checkpoint,
): AsyncGenerator<ExtraFile> {
  const nodes = new NodeReader((tile) => source.tile(tile), checkpoint.size);
  for (const { seq } of cited) {
    const path = await nodes.inclusionProof(seq, checkpoint.size);
    const bytes = Buffer.from(formatTlogProof({ index: seq, path, checkpoint: note }));
    yield { path: `proofs/${seq}.tlog-proof`, bytes, proved: true };
  }
}

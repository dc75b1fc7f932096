import { existsSync, writeFileSync } from 'node:fs';
import type { Streams } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import { openArchive } from '../archive/reader.js';
import { type ArchiveWriter, createArchive } from '../archive/writer.js';
import { rangeOf } from '../export/period.js';
import { verifyExport } from '../export/verify-export.js';
import { openCheckpoint } from '../note/checkpoint.js';
import type { VerifierKey } from '../note/keys.js';
import { makeEvidence, type ReportFiles } from '../report/evidence.js';
import type { Framework } from '../report/model.js';
import { verifierKeyOf } from '../settings.js';
import { selectBackend } from '../storage/select-backend.js';
import { printExportReport } from './export-report.js';
import type { Command, LedgerProgram } from './index.js';

const NO_EVIDENCE = 'none';
const NOWHERE: ArchiveWriter = { add: () => Promise.resolve(), close: () => Promise.resolve() };

/** Writes a report of a period and, beside it, the evidence with which anybody can count again. */
export const auditReport: Command = async (program, streams) => {
  const { config, flags, positionals } = program;
  const framework = frameworkOf(positionals);
  assertWritable(flags);
  const verifier = verifierKeyOf(config);
  const evidence = flags.evidence ?? `sentinel-${framework}-evidence.tar`;
  const files = await make(program, framework, verifier, evidence);
  write(files, program, streams);
  if (evidence === NO_EVIDENCE) return 0;
  const pack = await openArchive(evidence);
  try {
    streams.stderr.write(`evidence: ${evidence}\n`);
    return printExportReport(await verifyExport(pack, verifier), { ...streams, stdout: streams.stderr }, flags.verbose);
  } finally {
    await pack.close();
  }
};

async function make(
  { config, flags }: LedgerProgram,
  framework: Framework,
  verifier: VerifierKey,
  evidence: string,
): Promise<ReportFiles> {
  const source = await selectBackend(config).openSource();
  try {
    const note = await source.checkpoint();
    const checkpoint = openCheckpoint(note, verifier);
    const period = { from: flags.from, to: flags.to };
    const range = await rangeOf(period, source, checkpoint.size);
    const archive = evidence === NO_EVIDENCE ? NOWHERE : await createArchive(evidence);
    const verifierKey = verifier.text;
    return await makeEvidence({ framework, source, note, checkpoint, verifierKey, period, range, archive });
  } finally {
    await source.close();
  }
}

/** Before the log is read, which may take a while. */
function assertWritable({ format, output }: LedgerProgram['flags']): void {
  if (output === undefined && format === 'pdf') throw invalid('--output', 'a PDF needs --output FILE');
  if (output !== undefined && existsSync(output))
    throw invalid('--output', `${output} is there already, and nothing is overwritten`);
}

function write(files: ReportFiles, { flags }: LedgerProgram, { stdout }: Streams): void {
  const bytes = files[flags.format ?? 'json'];
  if (flags.output === undefined) stdout.write(bytes.toString('utf8'));
  else writeFileSync(flags.output, bytes, { flag: 'wx' });
}

function frameworkOf(positionals: readonly string[]): Framework {
  const [name = ''] = positionals;
  if (positionals.length === 1 && (name === 'soc2' || name === 'iso27001')) return name;
  throw invalid('FRAMEWORK', 'report needs soc2 or iso27001');
}

function invalid(field: string, message: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', field, message });
}

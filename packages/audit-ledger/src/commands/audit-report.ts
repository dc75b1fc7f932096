import { existsSync, writeFileSync } from 'node:fs';
import type { Streams } from '@sentinel/service-kit/config';
import { EXIT, SentinelError } from '@sentinel/service-kit/errors';
import { type MadeReport, makeReport } from '../auditor/auditor.js';
import { exportText } from '../auditor/export-text.js';
import type { Framework } from '../report/model.js';
import { exportMakerOf, verifierKeyOf } from '../settings.js';
import { selectBackend } from '../storage/select-backend.js';
import type { Command, LedgerProgram } from './index.js';

const NO_EVIDENCE = 'none';

/** Writes a report of a period and, beside it, the evidence with which anybody can count again. */
export const auditReport: Command = async (program, streams) => {
  const { flags, positionals } = program;
  const framework = frameworkOf(positionals);
  assertWritable(flags);
  const path = flags.evidence ?? `sentinel-${framework}-evidence.tar`;
  const { files, evidence } = await make(program, framework, path === NO_EVIDENCE ? undefined : path);
  write(files, program, streams);
  if (evidence === undefined) return EXIT.ok;
  streams.stderr.write(`evidence: ${path}\n${exportText(evidence, flags.verbose)}`);
  return evidence.ok ? EXIT.ok : EXIT.negative;
};

async function make(
  { config, flags: { from, to } }: LedgerProgram,
  framework: Framework,
  evidence: string | undefined,
): Promise<MadeReport> {
  const verifier = verifierKeyOf(config);
  const source = await selectBackend(config).openSource();
  try {
    return await makeReport(framework, evidence, {
      source,
      verifier,
      maker: exportMakerOf(config),
      period: { from, to },
    });
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

function write(files: MadeReport['files'], { flags }: LedgerProgram, { stdout }: Streams): void {
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

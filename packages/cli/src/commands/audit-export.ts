import { existsSync, writeFileSync } from 'node:fs';
import { type AuditedLog, copyLog, exportText, makeReport } from '@sentinel/audit-ledger/auditor';
import { httpSource, SourceError } from '@sentinel/audit-ledger/verify';
import { EXIT, SentinelError } from '@sentinel/service-kit/errors';
import type { Context } from '../context.js';
import { usageError } from '../failure.js';
import { httpFetch } from '../http-fetch.js';
import { keyOfFlag, Pin } from '../pinned-key.js';

export const FRAMEWORKS = ['soc2', 'iso27001'] as const;
export const REPORT_FORMATS = ['json', 'csv', 'pdf'] as const;

const UNPINNED =
  'No key is pinned here: the copy is held against the key that the ledger itself gave just now, which proves nothing about who signed. Run sentinel audit verify first, or give the key with --key.';

export interface ExportQuestion {
  /** Undefined = the pinned one, or what the ledger says. */
  readonly key: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** A new folder, or a new file that ends in `.tar`. */
  readonly file: string;
}

export interface ReportQuestion extends Omit<ExportQuestion, 'file'> {
  readonly framework: (typeof FRAMEWORKS)[number];
  readonly format: (typeof REPORT_FORMATS)[number];
  readonly file: string;
  /** As `file` of an export. */
  readonly evidence: string;
}

/** A copy of a range that verifies itself, by what the ledger publishes over HTTP. */
export async function auditExport(context: Context, { file, ...question }: ExportQuestion): Promise<number> {
  const report = await copyLog(file, await logOf(context, question)).catch(unreachable);
  const { ok, manifest, findings, found } = report;
  context.answer({ ok, file, manifest: manifest ?? null, found, findings }, () => exportText(report).trimEnd());
  return ok ? EXIT.ok : EXIT.negative;
}

/** A report with its evidence, likewise. */
export async function auditReport(context: Context, question: ReportQuestion): Promise<number> {
  const { framework, format, file, evidence } = question;
  if (existsSync(file)) throw usageError('--file', `${file} is there already, and nothing is overwritten`);
  const made = await makeReport(framework, evidence, await logOf(context, question)).catch(unreachable);
  writeFileSync(file, made.files[format], { flag: 'wx' });
  const ok = made.evidence?.ok ?? false;
  const { found = 0, findings = [] } = made.evidence ?? {};
  context.answer({ ok, file, evidence, found, findings }, () =>
    made.evidence === undefined ? file : `${file}, evidence ${evidence}\n${exportText(made.evidence).trimEnd()}`,
  );
  return ok ? EXIT.ok : EXIT.negative;
}

async function logOf(context: Context, { key, from, to }: Omit<ExportQuestion, 'file'>): Promise<AuditedLog> {
  const { ledger, tls } = context.endpoints;
  const pin = new Pin(context.endpoints, context.dataDir);
  const pinned = key === undefined ? pin.read() : keyOfFlag(key);
  if (pinned === null) context.remark(UNPINNED);
  const verifier = pinned === null ? keyOfFlag((await context.ledger().checkpoint()).verifierKey) : pin.newest(pinned);
  const known = pinned === null ? null : pin.checkpoint(pinned);
  const base = `${tls === undefined ? 'http' : 'https'}://${ledger.http}`;
  return {
    source: httpSource(base, httpFetch(tls ?? null)),
    verifier,
    period: { from, to },
    ...(known === null ? {} : { known }),
  };
}

function unreachable(error: unknown): never {
  if (!(error instanceof SourceError)) throw error;
  throw new SentinelError({
    code: 'UNAVAILABLE',
    message: `nothing was copied: ${error.message}`,
    hint: 'Start the ledger with npm start, or say where its HTTP port is with --ledger-http.',
    cause: error,
  });
}

import { writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { AuditType } from '@sentinel/contracts/sentinel/v1/audit.js';
import type { HistoryEvent, HistorySample, Observation } from '@sentinel/contracts/sentinel/v1/health.js';
import { EXIT } from '@sentinel/service-kit/errors';
import type { EngineClient } from '../client.js';
import type { Context } from '../context.js';
import { failureOf, usageError } from '../failure.js';
import { toJson } from '../json.js';
import { detailOf, type Report, replacementReport, type Surroundings } from '../views/index.js';

/** Telemetry is shown from so long before a wrong result to as long after it. */
const AROUND_US = 600_000_000n;
/** Wrong results whose surroundings are looked up: the newest, further apart than they are wide. */
const MAX_SURROUNDINGS = 8;
/** Entries of one look into the history, runs included. */
const MAX_HISTORY = 2_000;
const MAX_ENTRIES = 1_000;

/**
 * What a vendor wants to see before it takes a device back: which one it is, what it did when, how that was judged, how warm it
 * was, and the entries of the signed log. Without the ledger the report says so, and the exit status is 69.
 */
export async function reportReplacement(context: Context, gpu: string, file: string | undefined): Promise<number> {
  const engine = context.engine();
  const { health, ...explanation } = await engine.explain(gpu);
  if (health === undefined) throw usageError('GPU', `the engine knows nothing of ${gpu}`);
  const report: Report = {
    madeUs: context.nowUs(),
    health,
    explanation,
    surroundings: await surroundingsOf(engine, health.gpu, explanation.observations),
    ledger: await ledgerOf(context, health.gpu),
  };
  const value = jsonOf(report);
  if (file === undefined) context.answer(value, () => replacementReport(report));
  else {
    const text = context.json ? JSON.stringify(toJson(value), null, 2) : replacementReport(report);
    write(file, `${stripVTControlCharacters(text)}\n`);
    context.remark(`The report is in ${file}.`);
  }
  return report.ledger.error === null ? EXIT.ok : EXIT.unavailable;
}

async function surroundingsOf(
  engine: EngineClient,
  gpu: string,
  observations: readonly Observation[],
): Promise<Surroundings[]> {
  const found: Surroundings[] = [];
  for (const { timeUs } of observations) {
    if (found.length === MAX_SURROUNDINGS) break;
    if (found.some((other) => distance(other.aroundUs, timeUs) < 2n * AROUND_US)) continue;
    const range = { startUs: timeUs > AROUND_US ? timeUs - AROUND_US : 0n, endUs: timeUs + AROUND_US };
    const { telemetry, events } = await engine.history(gpu, range, MAX_HISTORY);
    found.push({ aroundUs: timeUs, telemetry: oldestFirst(telemetry), events: oldestFirst(events) });
  }
  return found;
}

function distance(a: bigint, b: bigint): bigint {
  return a > b ? a - b : b - a;
}

function oldestFirst<T extends HistorySample | HistoryEvent>(list: readonly T[]): T[] {
  return [...list].reverse();
}

async function ledgerOf(context: Context, gpu: string): Promise<Report['ledger']> {
  try {
    const filter = { gpu, type: AuditType.UNSPECIFIED, startUs: 0n, endUs: 0n };
    return { entries: await context.ledger().entries(filter, MAX_ENTRIES), error: null };
  } catch (error) {
    const { sentence } = failureOf(error);
    context.remark(`The report has no entries of the audit ledger: ${sentence}`);
    return { entries: [], error: sentence };
  }
}

function jsonOf({ ledger, ...report }: Report) {
  const entries = ledger.entries.map((entry) => ({ ...entry, decoded: detailOf(entry) }));
  return { ...report, ledger: { entries, error: ledger.error } };
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw usageError('--output-file', `${file} cannot be written (${code})`);
  }
}

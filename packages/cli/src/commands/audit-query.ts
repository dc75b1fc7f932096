import type { AuditType } from '@sentinel/contracts/sentinel/v1/audit.js';
import { EXIT } from '@sentinel/service-kit/errors';
import type { Context } from '../context.js';
import { failureOf } from '../failure.js';
import { auditTable, detailOf } from '../views/index.js';
import { contradiction } from './ledger-standing.js';

export interface AuditQuestion {
  readonly gpu: string;
  readonly type: AuditType;
  readonly startUs: bigint;
  readonly endUs: bigint;
  readonly limit: number;
}

export async function auditQuery(context: Context, { limit, ...question }: AuditQuestion): Promise<number> {
  const gpu = question.gpu === '' ? '' : await fullId(context, question.gpu);
  const entries = await context.ledger().entries({ ...question, gpu }, limit);
  const value = entries.map((entry) => ({ ...entry, event: detailOf(entry)?.event ?? null, decoded: detailOf(entry) }));
  const contradicted = await contradiction(context, await context.ledger().checkpoint());
  context.answer({ entries: value, contradiction: contradicted }, () => auditTable(entries));
  if (contradicted === null) return EXIT.ok;
  context.remark(
    `CRITICAL: the ledger is not the one that was verified here before: ${contradicted}. Run sentinel audit verify.`,
  );
  return EXIT.negative;
}

/** The ledger knows whole ids alone. What the engine cannot complete is asked for as it is: the ledger outlives devices. */
async function fullId(context: Context, gpu: string): Promise<string> {
  try {
    return (await context.engine().gpu(gpu)).gpu;
  } catch (error) {
    const { sentence } = failureOf(error);
    if (sentence.includes(' begin with ')) throw error;
    context.remark(`${gpu} is taken as a whole id: ${sentence}`);
    return gpu;
  }
}

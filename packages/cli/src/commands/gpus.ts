import type { ExplainDecisionResponse } from '@sentinel/contracts/sentinel/v1/health.js';
import { EXIT } from '@sentinel/service-kit/errors';
import type { FleetFilter } from '../client.js';
import type { Context } from '../context.js';
import { explanation, gpuTable, gpuView, historyView, mismatchOf } from '../views/index.js';

export async function listGpus(context: Context, filter: FleetFilter): Promise<number> {
  const fleet = await context.engine().fleet(filter);
  context.answer(fleet, () => gpuTable(fleet.gpus, context.nowUs()));
  return EXIT.ok;
}

export async function showGpu(context: Context, id: string): Promise<number> {
  const gpu = await context.engine().gpu(id);
  context.answer(gpu, () => gpuView(gpu, gpu.telemetry, context.nowUs()));
  return EXIT.ok;
}

export async function explainGpu(context: Context, id: string): Promise<number> {
  const answer = await context.engine().explain(id);
  context.answer(recomputable(answer), () => explanation(answer, context.nowUs()));
  return EXIT.ok;
}

/** Each observation with the line that tests/interop/recompute_mismatch.py reads. */
function recomputable(answer: ExplainDecisionResponse) {
  const observations = answer.observations.map((seen) => ({ ...seen, mismatch: mismatchOf(seen) }));
  return { ...answer, observations };
}

export interface HistoryQuestion {
  readonly startUs: bigint;
  readonly endUs: bigint;
  readonly limit: number;
}

export async function gpuHistory(context: Context, id: string, question: HistoryQuestion): Promise<number> {
  const history = await context.engine().history(id, question, question.limit);
  context.answer(history, () => historyView(history));
  return EXIT.ok;
}

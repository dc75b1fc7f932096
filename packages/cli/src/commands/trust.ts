import { EXIT } from '@sentinel/service-kit/errors';
import type { Context } from '../context.js';
import { trustView } from '../views/index.js';

export interface TrustQuestion {
  /** '' = all. */
  readonly gpu: string;
  readonly limit: number;
  /** 0 = now. */
  readonly atUs: bigint;
}

export async function showTrust(context: Context, question: TrustQuestion): Promise<number> {
  const graph = await context.engine().trust(question);
  context.answer(graph, () => trustView(graph, context.nowUs()));
  return EXIT.ok;
}

import { EXIT } from '@sentinel/service-kit/errors';
import type { Context } from '../context.js';
import { pendingView, transitionText } from '../views/index.js';

/** What waits for an operator. */
export async function listPending(context: Context): Promise<number> {
  const pending = await context.engine().pending();
  context.answer({ pending }, () => pendingView(pending, context.nowUs()));
  return EXIT.ok;
}

/** Carries out what waits; the answer is the transition it made. The same again changes nothing. */
export async function approve(context: Context, directiveId: string, reason: string): Promise<number> {
  const transition = await context.engine().approve(directiveId, reason);
  const text =
    transition === undefined ? `${directiveId} is approved: a deep test is ordered.` : transitionText(transition);
  context.answer({ directiveId, transition }, () => text);
  return EXIT.ok;
}

/** Drops what waits; the evidence stays. */
export async function reject(context: Context, directiveId: string, reason: string): Promise<number> {
  await context.engine().reject(directiveId, reason);
  context.answer({ directiveId }, () => `${directiveId} is rejected. The evidence stays.`);
  return EXIT.ok;
}

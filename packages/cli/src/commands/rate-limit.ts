import { EXIT } from '@sentinel/service-kit/errors';
import type { Context } from '../context.js';
import { plural, rateLimitView } from '../views/index.js';

/** How much of the limit of automatic quarantines is used. */
export async function showRateLimit(context: Context): Promise<number> {
  const use = await context.engine().rateLimit();
  context.answer(use, () => rateLimitView(use));
  return EXIT.ok;
}

/** Gives it all its room again. */
export async function resetRateLimit(context: Context, reason: string): Promise<number> {
  const forgotten = await context.engine().resetRateLimit(reason);
  context.answer(
    { forgotten },
    () => `The limit has all its room again: ${plural(forgotten, 'quarantine')} of the last day no longer counts.`,
  );
  return EXIT.ok;
}

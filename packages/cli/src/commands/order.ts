import type { IssueDirectiveRequest } from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { EXIT } from '@sentinel/service-kit/errors';
import type { Context } from '../context.js';
import { failureOf } from '../failure.js';
import { pendingView, transitionText } from '../views/index.js';

/**
 * An operator's order; the answer is the transition it made, or that it waits for another operator. Its id is said when the answer
 * was lost, so that it can be repeated safely.
 */
export async function order(context: Context, request: IssueDirectiveRequest): Promise<number> {
  const { directiveId, gpu } = request;
  try {
    const { transition, pending } = await context.engine().order(request);
    context.answer({ directiveId, transition, pending }, () => {
      if (pending !== undefined) return pendingView([pending], context.nowUs());
      return transition === undefined ? `A deep test of ${gpu} is ordered.` : transitionText(transition);
    });
    return EXIT.ok;
  } catch (error) {
    // Whether it was carried out is not known then.
    if (failureOf(error).status === EXIT.unavailable)
      context.remark(`Repeat it with --id ${directiveId}: then it is done once, whatever became of this call.`);
    throw error;
  }
}

import type { IssueDirectiveRequest_Action } from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { EXIT } from '@sentinel/service-kit/errors';
import type { Context } from '../context.js';
import { failureOf } from '../failure.js';
import { transitionText } from '../views/index.js';

export interface Order {
  readonly gpu: string;
  readonly action: IssueDirectiveRequest_Action;
  readonly reason: string;
  /** The same id again repeats nothing. */
  readonly directiveId: string;
}

/** An operator's order; the answer is the transition it made. Its id is said when the answer was lost, so that it can be repeated safely. */
export async function order(context: Context, request: Order): Promise<number> {
  try {
    const transition = await context.engine().order({ ...request });
    context.answer({ directiveId: request.directiveId, transition }, () => transitionText(transition));
    return EXIT.ok;
  } catch (error) {
    // Whether it was carried out is not known then.
    if (failureOf(error).status === EXIT.unavailable)
      context.remark(`Repeat it with --id ${request.directiveId}: then it is done once, whatever became of this call.`);
    throw error;
  }
}

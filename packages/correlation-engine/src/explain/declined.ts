import type { Declined } from '../evidence/model/orders.js';
import { orderCommand } from '../lifecycle/answer-command.js';
import { isPossible } from '../lifecycle/moves.js';
import { declinedOf, hoursUs, isNews, proposalOf } from '../lifecycle/proposals.js';
import { dateOf, type View } from './view.js';

type Known = Pick<View, 'device' | 'config' | 'nowUs'>;

/** What the engine asked for and did not get, and is silent about until something new speaks for it; undefined = nothing holds it back. */
export function stillDeclined({ device, config, nowUs }: Known, action: Declined['action']): Declined | undefined {
  const declined = declinedOf(device, action);
  if (declined === undefined || proposalOf(device, action) !== undefined) return undefined;
  return isNews(device, declined, config, nowUs) ? undefined : declined;
}

/** What an operator said no to, or nobody answered, and what that leads to. */
export function declinedSentences(view: View): string[] {
  const { device } = view;
  return device.declined.map((declined) => {
    const { action } = declined;
    const past = answerOf(declined);
    if (stillDeclined(view, action) === undefined) return past;
    return `${past} ${next(view, declined)}${orderOf(view, action)}`;
  });
}

/** For a list: "; nobody answered QUARANTINE", or ''. */
export function unansweredNote(known: Known): string {
  const silent = known.device.declined.filter(({ how, action }) => how === 'EXPIRED' && stillDeclined(known, action));
  const actions = silent.map(({ action }) => action).join(', ');
  return actions === '' ? '' : `; nobody answered ${actions}`;
}

function answerOf({ action, how, declinedUs }: Declined): string {
  const until = dateOf(declinedUs);
  return how === 'REJECTED'
    ? `An operator rejected ${action} on ${until}.`
    : `The engine asked for ${action}, and nobody answered until ${until}, when that expired.`;
}

/** What cannot be undone is not offered at three in the morning. */
function orderOf({ device: { id, state } }: View, action: Declined['action']): string {
  if (action === 'CONDEMN' || !isPossible(action, state)) return '';
  return ` Order it with \`${orderCommand(action, id)}\`.`;
}

/** Whether the engine asks again. */
function next({ config }: View, { action, how, declinedUs }: Declined): string {
  if (config.mode === 'observe') return 'In observe mode it asks for nothing.';
  const acts = how === 'EXPIRED' && !config.requireApproval;
  switch (action) {
    case 'QUARANTINE':
      return acts
        ? 'It asks again upon another mismatch, and acts by itself once the limit of automatic quarantines has room.'
        : 'It asks again upon another mismatch.';
    case 'CONDEMN':
      return `It asks again on ${dateOf(declinedUs + hoursUs(config.maxQuarantineHours))}.`;
    case 'SCHEDULE_DEEP_TEST':
    case 'REINSTATE':
      return 'It does not ask again by itself.';
  }
}

import { deviceOf } from '../evidence/draft.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { Proposal } from '../evidence/model/orders.js';
import { probationEndUs } from '../evidence/posterior/probation.js';
import { unitName } from '../evidence/unit-name.js';
import { answerCommand } from '../lifecycle/answer-command.js';
import { declinedSentences } from './declined.js';
import { dateOf, type View } from './view.js';

const MAX_UNITS_NAMED = 8;

/** What waits for an operator, what none agreed to, and what of the past still counts. */
export function waitingSentences(view: View): string[] {
  const { device, nowUs } = view;
  return [
    ...replaced(view),
    ...returned(device),
    ...device.proposals.map(waiting),
    ...declinedSentences(view),
    ...probation(device, nowUs),
  ];
}

/** For a list: "; CONDEMN waits for approval", or ''. */
export function waitingNote({ proposals }: DeviceState): string {
  const actions = proposals.map(({ action }) => action).join(', ');
  return actions === '' ? '' : `; ${actions} waits for approval`;
}

function waiting({ id, action, reason, proposedBy, expiresUs }: Proposal): string {
  const by = proposedBy === '' ? 'the engine' : proposedBy;
  const how = `\`${answerCommand('approve', id)}\` or \`${answerCommand('reject', id)}\``;
  return `${action} waits for an operator until ${dateOf(expiresUs)}, asked for by ${by}: ${reason} Answer with ${how}.`;
}

function replaced({ device: { replaced: other, vendor, serial }, facts }: View): string[] {
  if (other === null) return [];
  const now = deviceOf(facts, other.by);
  const isItself = serial !== '' && now?.serial === serial && now.vendor === vendor;
  const what = isItself ? 'The same hardware is in use' : 'Other hardware is in its place';
  return [`${what} since ${dateOf(other.us)}: ${other.by}. This is history.`];
}

/** Hardware does not become better by being taken out and put back. */
function returned({ id, serial, state, stateSinceUs, node, returned: back }: DeviceState): string[] {
  if (back === undefined) return [];
  const hardware = `This hardware${serial === '' ? '' : ` (serial number ${serial})`}`;
  const what =
    state === 'CONDEMNED'
      ? `${hardware} was condemned on ${dateOf(stateSinceUs)}. It came back on ${dateOf(back.us)}, on ${node}, and stays condemned.`
      : `${hardware} was known when it came back on ${dateOf(back.us)}, on ${node}: it goes on with what speaks against it.`;
  return [back.from === id ? what : `${what} What it did before is under ${back.from}.`];
}

function probation(device: DeviceState, nowUs: number): string[] {
  const units = device.units.filter((unit) => (probationEndUs(unit) ?? 0) > nowUs);
  const last = Math.max(...units.map((unit) => probationEndUs(unit) ?? 0));
  if (units.length === 0) return [];
  const named = units.slice(0, MAX_UNITS_NAMED).map(unitName);
  const more = units.length > named.length ? ` and ${units.length - named.length} more` : '';
  return [`On probation until ${dateOf(last)}, because it failed before: ${named.join(', ')}${more}.`];
}

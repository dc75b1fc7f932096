import { familyName } from '../evidence/families.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { Proposal } from '../evidence/model/orders.js';
import { probationEndUs } from '../evidence/posterior/probation.js';
import { dateOf, type View } from './view.js';

const MAX_UNITS_NAMED = 8;

/** What waits for an operator, what one said no to, and what of the past still counts. */
export function waitingSentences({ device, nowUs }: View): string[] {
  return [...replaced(device), ...device.proposals.map(waiting), ...rejected(device), ...probation(device, nowUs)];
}

/** For a list: "; CONDEMN waits for approval", or ''. */
export function waitingNote({ proposals }: DeviceState): string {
  const actions = proposals.map(({ action }) => action).join(', ');
  return actions === '' ? '' : `; ${actions} waits for approval`;
}

function waiting({ id, action, reason, proposedBy, expiresUs }: Proposal): string {
  const by = proposedBy === '' ? 'the engine' : proposedBy;
  const how = `\`npx sentinel approve ${id}\` or \`npx sentinel reject ${id}\``;
  return `${action} waits for an operator until ${dateOf(expiresUs)}, asked for by ${by}: ${reason} Answer with ${how}.`;
}

function rejected(device: DeviceState): string[] {
  return device.declined
    .filter(({ how }) => how === 'REJECTED')
    .map(({ action, declinedUs }) => `An operator rejected ${action} on ${dateOf(declinedUs)}.`);
}

function replaced({ replaced: other }: DeviceState): string[] {
  return other === null
    ? []
    : [`Other hardware is in its place since ${dateOf(other.us)}: ${other.by}. This is history.`];
}

function probation(device: DeviceState, nowUs: number): string[] {
  const units = device.units.filter((unit) => (probationEndUs(unit) ?? 0) > nowUs);
  const last = Math.max(...units.map((unit) => probationEndUs(unit) ?? 0));
  if (units.length === 0) return [];
  const named = units.slice(0, MAX_UNITS_NAMED).map(({ family, sm }) => `${familyName(family)} on SM ${sm}`);
  const more = units.length > named.length ? ` and ${units.length - named.length} more` : '';
  return [`On probation until ${dateOf(last)}, because it failed before: ${named.join(', ')}${more}.`];
}

import { editFleet, fleetOf } from '../evidence/draft.js';
import type { Claim } from '../evidence/model/fleet.js';
import type { HelloDevice, HelloRecord } from '../evidence/record.js';
import { forget, type Step } from '../evidence/step.js';

/** Devices that two connected nodes name: a handful while boards are moved. */
export const MAX_CLAIMS = 256;

/**
 * Another node that is connected has the device, as it stands. Boards that change places are named by their new node before the old
 * one has looked again: the claim holds until the device is free, so that nothing depends on who said hello first.
 */
export function keepClaim(step: Step, record: HelloRecord, described: HelloDevice): void {
  const { devices: _, kind: __, ...hello } = record;
  const claims: Readonly<Record<string, Claim>> = fleetOf(step.draft).claims ?? {};
  if (claims[described.id] === undefined && Object.keys(claims).length >= MAX_CLAIMS) return forget(step, 'claim');
  editFleet(step.draft).claims = { ...claims, [described.id]: { ...hello, described } };
}

import { editFleet, editNode, fleetOf, nodeOf } from '../evidence/draft.js';
import type { Claim } from '../evidence/model/fleet.js';
import type { Step } from '../evidence/step.js';
import { admit, welcome } from './admit.js';

/** A new hello of the node says anew what it has. */
export function forgetClaims(step: Step, node: string): void {
  keepOnly(step, (claim) => claim.node !== node);
}

/** The owner of these devices does not have them any more: who claimed one and is still there gets it. */
export function settleClaims(step: Step, free: readonly string[]): void {
  for (const id of free) {
    const claim = fleetOf(step.draft).claims?.[id];
    if (claim === undefined) continue;
    keepOnly(step, (other) => other !== claim);
    if (nodeOf(step.draft, claim.node)?.connected === true) give(step, claim);
  }
}

function give(step: Step, { described, ...hello }: Claim): void {
  const node = editNode(step.draft, hello.node);
  const record = { kind: 'hello' as const, ...hello, devices: [described] };
  if (admit(step, node, record, described)) welcome(step, record, [described]);
}

function keepOnly(step: Step, kept: (claim: Claim) => boolean): void {
  const claims = Object.entries(fleetOf(step.draft).claims ?? {});
  const left = claims.filter(([, claim]) => kept(claim));
  if (left.length < claims.length) editFleet(step.draft).claims = Object.fromEntries(left);
}

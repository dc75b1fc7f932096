import type { ProbeFamily } from '@sentinel/contracts/sentinel/v1/common.js';
import type { AgentControlResponse } from '@sentinel/contracts/sentinel/v1/control.js';
import type { DirectiveEffect, Work } from '../core.js';

/** A directive as the agent gets it. */
export function directiveMessage(effect: DirectiveEffect): NonNullable<AgentControlResponse['message']> {
  if (effect.op === 'cancel') return { $case: 'cancel', value: { id: effect.id } };
  return { $case: 'directive', value: { id: effect.id, deviceId: effect.deviceId, work: workMessage(effect.work) } };
}

type WorkMessage = Extract<NonNullable<AgentControlResponse['message']>, { $case: 'directive' }>['value']['work'];

function workMessage(work: Work): WorkMessage {
  switch (work.kind) {
    case 'burst':
      return { $case: 'burst', value: { ...work, family: work.family as ProbeFamily } };
    case 'follow-up':
      return {
        $case: 'followUp',
        value: { ...work, family: work.family as ProbeFamily, untilUs: BigInt(work.untilUs) },
      };
    case 'canary':
      return { $case: 'canary', value: { ...work, family: work.family as ProbeFamily } };
    case 'deep-test':
      return {
        $case: 'deepTest',
        value: {
          units: work.units.map((unit) => ({ ...unit, family: unit.family as ProbeFamily })),
          sweepSeconds: work.sweepSeconds,
          preferHot: work.preferHot,
        },
      };
  }
}

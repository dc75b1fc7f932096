import { hash } from 'node:crypto';
import type { FleetAction, FleetDirective } from '../evidence/effects.js';
import type { HealthState } from '../evidence/model/terms.js';
import type { Step } from '../evidence/step.js';

/** Tells orchestrators what to do. Only what takes something out of service or back is theirs to know. */
export function tellOrchestrators(step: Step, directive: Omit<FleetDirective, 'id'>): void {
  const { action, gpu, node } = directive;
  const made = [
    'fleet-directive',
    step.ctx.commitSeq,
    step.source,
    step.effects.fleetDirectives.length,
    action,
    gpu,
    node,
  ];
  const id = `fleet-${hash('sha256', JSON.stringify(made)).slice(0, 24)}`;
  step.effects.fleetDirectives.push({ id, ...directive });
}

/** What a change of state means for whoever places jobs; null = nothing: a SUSPECT stays in service, a deep test runs on what is out. */
export function actionOf(from: HealthState, to: HealthState): FleetAction | null {
  const wasOut = from !== 'HEALTHY' && from !== 'SUSPECT';
  if (to === 'CONDEMNED') return 'CONDEMN';
  if (to === 'QUARANTINED') return wasOut ? null : 'QUARANTINE';
  return to === 'HEALTHY' && wasOut ? 'REINSTATE' : null;
}

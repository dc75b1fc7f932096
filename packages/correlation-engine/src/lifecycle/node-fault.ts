import { configOf, deviceOf, editFleet } from '../evidence/draft.js';
import type { FleetAction } from '../evidence/effects.js';
import { incidentOfNode } from '../evidence/gates/node.js';
import { DAY_US } from '../evidence/gates/rate-limit.js';
import { changeIncident, openIncident, withdrawIncident } from '../evidence/incidents.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { Incident } from '../evidence/model/fleet.js';
import type { GateOutcome } from '../evidence/model/terms.js';
import type { Step } from '../evidence/step.js';
import { isInjected } from './detail.js';
import { tellOrchestrators } from './fleet-directives.js';
import { scheduleReview } from './schedule-review.js';

const REFUTED = 'What its devices showed since is better explained by a cause of its own for each.';

/** Gate 6 looked again: a fault of the node that was suspected is given up, and its devices are judged. */
export function withdrawNodeFault(step: Step, { node }: DeviceState): void {
  const open = incidentOfNode(step.draft, node);
  if (open === undefined) return;
  withdrawIncident(step, open.id, REFUTED);
  uncordon(step, open, { actor: '', reason: REFUTED });
  scheduleReview(step);
}

/**
 * Gate 6 holds the node responsible for what these devices showed. Once no other gate speaks against acting, the node is
 * cordoned: one directive, which counts once against the limit of automatic quarantines, and no device is taken out.
 */
export function attributeToNode(
  step: Step,
  device: DeviceState,
  gates: readonly GateOutcome[],
  attributed: readonly string[],
): void {
  if (attributed.length === 0) return;
  const open = incidentOfNode(step.draft, device.node);
  if (open !== undefined) return join(step, open, attributed);
  if (gates.some((gate) => gate.number > 2 && gate.name !== 'node' && gate.verdict === 'HOLD')) return;
  const enforces = configOf(step.draft).mode === 'enforce';
  const reason = gates.find((gate) => gate.name === 'node')?.reason ?? '';
  const injected = attributed.some((id) => {
    const known = deviceOf(step.draft, id);
    return known !== undefined && isInjected(known);
  });
  const { node } = device;
  const opened = openIncident(
    step,
    {
      pattern: 'NODE_CORRELATED',
      cohort: '',
      node,
      nodes: [node],
      devices: [...attributed],
      reason,
      cordoned: enforces,
    },
    { timeUs: step.ctx.nowUs, injected },
    { would_be: enforces ? '' : 'CORDON' },
  );
  if (opened === undefined || !enforces) return;
  tell(step, 'CORDON', opened, { reason, actor: '' });
  const fleet = editFleet(step.draft);
  const recent = fleet.automaticQuarantinesUs.filter((us) => us > step.ctx.nowUs - DAY_US);
  fleet.automaticQuarantinesUs = [...recent, step.ctx.nowUs];
}

function join(step: Step, incident: Incident, attributed: readonly string[]): void {
  const added = attributed.filter((id) => !incident.devices.includes(id));
  if (added.length > 0) changeIncident(step, incident.id, ({ devices }) => ({ devices: [...devices, ...added] }));
}

/** The incident of a node ended: what was cordoned is to be used again. */
export function uncordon(step: Step, incident: Incident, order: { reason: string; actor: string }): void {
  if (incident.cordoned) tell(step, 'UNCORDON', incident, order);
}

function tell(
  step: Step,
  action: FleetAction,
  { node, injected }: Incident,
  order: { reason: string; actor: string },
): void {
  tellOrchestrators(step, { action, gpu: '', node, ...order, from: null, to: null, timeUs: step.ctx.nowUs, injected });
}

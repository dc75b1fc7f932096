import type { Assessment, DecisionModel } from '../evidence/decision.js';
import type { Draft } from '../evidence/draft.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { DirectiveState } from '../evidence/model/orders.js';
import type { CoreConfig } from '../evidence/model/settings.js';
import type { GateOutcome } from '../evidence/model/terms.js';

/** What the sentences are made from. */
export interface View {
  device: DeviceState;
  config: CoreConfig;
  connected: boolean;
  assessment: Assessment;
  gates: readonly GateOutcome[];
  nowUs: number;
  /** Asked again for what might come. */
  model: DecisionModel;
  facts: Draft;
}

export function openDirectives(device: DeviceState): DirectiveState[] {
  return device.directives.filter((directive) => directive.status === 'open');
}

/** Gates that hold a decision, in order. */
export function holdingGates(view: View): GateOutcome[] {
  return view.gates.filter((gate) => gate.verdict === 'HOLD');
}

const UTC = new Intl.DateTimeFormat('sv-SE', { timeZone: 'UTC', dateStyle: 'short', timeStyle: 'medium' });

/** For example "2026-03-01 12:00:00 UTC". */
export function dateOf(us: number): string {
  return `${UTC.format(us / 1000)} UTC`;
}

export function durationOf(us: number): string {
  const seconds = Math.max(0, Math.ceil(us / 1_000_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.ceil(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.ceil(seconds / 3600)} h` : `${Math.ceil(seconds / 86_400)} days`;
}

import { type CoreState, summarize } from '../core.js';

/** What others see of a device without asking the engine that decides about it. */
export interface CachedState {
  readonly gpu: string;
  readonly node: string;
  readonly model: string;
  readonly state: string;
  /** What enforce mode would have given; null outside observe mode. */
  readonly would_be: string | null;
  readonly state_since_us: number;
  readonly reason: string;
  /** Who ordered the state; '' = the engine. */
  readonly actor: string;
  readonly injected: boolean;
  /** Displayed score. */
  readonly score: number;
  /** One line for a person. */
  readonly summary: string;
  /** Id of the device that took its place; '' = it is still there. */
  readonly replaced_by: string;
}

/** null = there is no such device. */
export function cachedState(state: CoreState, id: string, nowUs: number): CachedState | null {
  const device = state.devices.get(id);
  if (device === undefined) return null;
  const { summary, score, injected } = summarize(state, device, nowUs);
  return {
    gpu: device.id,
    node: device.node,
    model: device.model,
    state: device.state,
    would_be: device.wouldBe,
    state_since_us: device.stateSinceUs,
    reason: device.stateReason,
    actor: device.stateActor,
    injected,
    score: score.score,
    summary,
    replaced_by: device.replaced?.by ?? '',
  };
}

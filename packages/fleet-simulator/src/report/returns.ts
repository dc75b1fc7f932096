import type { TransitionEffect } from '@sentinel/correlation-engine/core';
import type { Target } from '../faults/targets.js';
import { isHardware } from '../scenario/scenario.js';
import { HOUR_US } from '../world/environment.js';

/** How long a quarantined GPU stayed out of service, by what had put it there, and whether it should have. */
export interface Return {
  readonly gpu: string;
  readonly hours: number;
  readonly after: 'fault' | 'false quarantine' | 'order';
  /** A fault of its own went on, and so it should have stayed out. */
  readonly defective: boolean;
  /** From then until it was quarantined again; null = it was not. */
  readonly againHours: number | null;
}

/** From each quarantine of one GPU to the HEALTHY after it. */
export function returnsOf(
  transitions: readonly TransitionEffect[],
  targets: readonly Target[],
  isGuilty: (id: string, timeUs: number) => boolean,
): Return[] {
  const returns: Return[] = [];
  let out: TransitionEffect | null = null;
  for (const [at, { to, deviceId: gpu, timeUs }] of transitions.entries()) {
    if (to === 'QUARANTINED') out ??= transitions[at] ?? null;
    if (to !== 'HEALTHY' || out === null) continue;
    const cause = isGuilty(gpu, out.timeUs) ? 'fault' : 'false quarantine';
    const again = transitions.slice(at).find((later) => later.to === 'QUARANTINED');
    returns.push({
      gpu,
      hours: (timeUs - out.timeUs) / HOUR_US,
      after: out.actor === '' ? cause : 'order',
      defective: isDefective(targets, gpu, timeUs),
      againHours: again === undefined ? null : (again.timeUs - timeUs) / HOUR_US,
    });
    out = null;
  }
  return returns;
}

/** A fault of the GPU's own has begun and is not over, though it may rest. */
function isDefective(targets: readonly Target[], id: string, timeUs: number): boolean {
  return targets.some(
    ({ fault, gpus }) =>
      isHardware(fault) &&
      gpus.some(
        ({ gpu, onsetUs }) =>
          gpu.id === id &&
          onsetUs <= timeUs &&
          gpu.sources.some(({ fault: name, rate }) => name === fault.name && timeUs < rate.endUs),
      ),
  );
}

import { createHash } from 'node:crypto';
import type { Effects, HealthState, TransitionEffect } from '@sentinel/correlation-engine/core';
import type { Target } from '../faults/targets.js';
import { type FaultKind, isHardware } from '../scenario/scenario.js';
import { HOUR_US } from '../world/environment.js';

/** How one GPU that a fault struck fared. Hours since the fault's onset; null = never. */
export interface Struck {
  readonly fault: string;
  readonly kind: FaultKind;
  readonly gpu: string;
  readonly mismatchHours: number | null;
  readonly suspectHours: number | null;
  readonly quarantineHours: number | null;
}

/** How long a quarantined GPU stayed out of service, by what had put it there. */
export interface Return {
  readonly gpu: string;
  readonly hours: number;
  readonly after: 'fault' | 'false quarantine' | 'order';
}

export interface Outcome {
  readonly struck: readonly Struck[];
  /** GPUs that were quarantined by the engine though no fault of their own was at work. */
  readonly falseQuarantines: readonly { readonly gpu: string; readonly atHours: number }[];
  readonly falseSuspects: number;
  readonly returns: readonly Return[];
  /** Ledger events by name, e.g. breadth_incident_opened. */
  readonly events: Readonly<Record<string, number>>;
  readonly observations: number;
  readonly records: number;
  /** SHA-256 over every event that left the engine: equal for equal scenarios and seeds. */
  readonly digest: string;
}

/** Listens to the engine, and judges it by what is known of the faults. */
export class Judge {
  readonly #targets: readonly Target[];
  readonly #events = new Map<string, number>();
  readonly #transitions = new Map<string, TransitionEffect[]>();
  readonly #mismatchesUs = new Map<string, number>();
  readonly #onsetsUs: ReadonlyMap<string, number>;
  readonly #digest = createHash('sha256');
  #observations = 0;

  constructor(targets: readonly Target[]) {
    this.#targets = targets;
    this.#onsetsUs = firstOnsets(targets);
  }

  effects({ outbox, transitions, observations }: Effects): void {
    for (const { eventId, detail } of outbox) {
      this.#events.set(detail.event, (this.#events.get(detail.event) ?? 0) + 1);
      this.#digest.update(`${eventId} ${JSON.stringify(detail)}\n`);
    }
    for (const transition of transitions) {
      const earlier = this.#transitions.get(transition.deviceId);
      if (earlier === undefined) this.#transitions.set(transition.deviceId, [transition]);
      else earlier.push(transition);
    }
    this.#observations += observations.length;
    for (const { deviceId, timeUs } of observations) {
      const onsetUs = this.#onsetsUs.get(deviceId) ?? Number.POSITIVE_INFINITY;
      if (timeUs >= onsetUs && !this.#mismatchesUs.has(deviceId)) this.#mismatchesUs.set(deviceId, timeUs);
    }
  }

  outcome(originUs: number, records: number): Outcome {
    const guilty = guiltySince(this.#targets);
    const isGuilty = (id: string, timeUs: number): boolean => (guilty.get(id) ?? Number.POSITIVE_INFINITY) <= timeUs;
    const all = [...this.#transitions.values()].flat();
    const wrong = all.filter(
      ({ to, from, actor, deviceId, timeUs }) =>
        to === 'QUARANTINED' && from !== 'DEEP_TEST' && actor === '' && !isGuilty(deviceId, timeUs),
    );
    return {
      struck: this.#targets.flatMap((target) => this.#struck(target)),
      falseQuarantines: wrong.map(({ deviceId, timeUs }) => ({ gpu: deviceId, atHours: hours(timeUs - originUs) })),
      falseSuspects: all.filter(({ to, deviceId, timeUs }) => to === 'SUSPECT' && !isGuilty(deviceId, timeUs)).length,
      returns: [...this.#transitions.values()].flatMap((transitions) => returnsOf(transitions, isGuilty)),
      events: Object.fromEntries([...this.#events].sort()),
      observations: this.#observations,
      records,
      digest: this.#digest.copy().digest('hex'),
    };
  }

  #struck({ fault, gpus }: Target): Struck[] {
    return gpus.map(({ gpu, onsetUs }) => {
      const transitions = this.#transitions.get(gpu.id) ?? [];
      const since = (us: number | undefined): number | null => (us === undefined ? null : hours(us - onsetUs));
      const became = (state: HealthState): number | null =>
        since(transitions.find(({ to, timeUs }) => to === state && timeUs >= onsetUs)?.timeUs);
      return {
        fault: fault.name,
        kind: fault.kind,
        gpu: gpu.id,
        mismatchHours: since(this.#mismatchesUs.get(gpu.id)),
        suspectHours: became('SUSPECT'),
        quarantineHours: became('QUARANTINED'),
      };
    });
  }
}

/** From each quarantine to the HEALTHY after it. */
function returnsOf(
  transitions: readonly TransitionEffect[],
  isGuilty: (id: string, timeUs: number) => boolean,
): Return[] {
  const returns: Return[] = [];
  let out: TransitionEffect | null = null;
  for (const transition of transitions) {
    if (transition.to === 'QUARANTINED') out ??= transition;
    if (transition.to !== 'HEALTHY' || out === null) continue;
    const cause = isGuilty(out.deviceId, out.timeUs) ? 'fault' : 'false quarantine';
    const after = out.actor === '' ? cause : 'order';
    returns.push({ gpu: out.deviceId, hours: hours(transition.timeUs - out.timeUs), after });
    out = null;
  }
  return returns;
}

function firstOnsets(targets: readonly Target[]): Map<string, number> {
  const onsets = new Map<string, number>();
  for (const { gpu, onsetUs } of targets.flatMap(({ gpus }) => gpus)) {
    onsets.set(gpu.id, Math.min(onsetUs, onsets.get(gpu.id) ?? onsetUs));
  }
  return onsets;
}

/** Since when a fault of the GPU's own has been at work. */
function guiltySince(targets: readonly Target[]): Map<string, number> {
  return firstOnsets(targets.filter(({ fault }) => isHardware(fault)));
}

function hours(us: number): number {
  return us / HOUR_US;
}

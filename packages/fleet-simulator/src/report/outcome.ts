import { createHash } from 'node:crypto';
import type { Effects, HealthState, TransitionEffect } from '@sentinel/correlation-engine/core';
import type { Target } from '../faults/targets.js';
import { type FaultKind, isHardware } from '../scenario/scenario.js';
import { HOUR_US } from '../world/environment.js';
import { Incidents } from './incidents.js';
import { type Return, returnsOf } from './returns.js';
import { timelineOf } from './timeline.js';

/** How one GPU that a fault struck fared. Hours since the fault's onset; null = never, 0 = out of service before. */
export interface Struck {
  readonly fault: string;
  readonly kind: FaultKind;
  readonly gpu: string;
  readonly mismatchHours: number | null;
  readonly suspectHours: number | null;
  readonly quarantineHours: number | null;
  /** Until a deep test showed the fault again, and an operator was asked to condemn the GPU. */
  readonly condemnHours: number | null;
}

/** Something that too many nodes, or too many GPUs of one node, showed at once. Hours after the scenario's time 0. */
export interface IncidentSeen {
  /** '' = not of one node. */
  readonly node: string;
  /** '' = not of one family. */
  readonly family: string;
  readonly openedHours: number;
  /** null = still open at the end. */
  readonly closedHours: number | null;
}

/** GPUs in a state other than HEALTHY from a time on. */
export interface Level {
  readonly atHours: number;
  readonly suspect: number;
  /** QUARANTINED, DEEP_TEST and CONDEMNED. */
  readonly out: number;
}

export interface Outcome {
  readonly struck: readonly Struck[];
  /** GPUs that were quarantined by the engine though no fault of their own was at work. */
  readonly falseQuarantines: readonly { readonly gpu: string; readonly atHours: number }[];
  readonly falseSuspects: number;
  readonly returns: readonly Return[];
  /** How long GPUs were SUSPECT that became HEALTHY again, in hours. */
  readonly suspectExits: readonly number[];
  readonly incidents: readonly IncidentSeen[];
  /** Hours from the onset of a node's fault to the incident that names the node; null = never. By node that was struck. */
  readonly nodesAttributed: readonly (number | null)[];
  readonly timeline: readonly Level[];
  /** Ledger events by name, e.g. breadth_incident_opened. */
  readonly events: Readonly<Record<string, number>>;
  readonly observations: number;
  readonly records: number;
  /** Times that the scenario's limits cut off further failures. */
  readonly leftOut: number;
  /** SHA-256 over every event that left the engine: equal for equal scenarios and seeds. */
  readonly digest: string;
}

interface Watched {
  readonly number: number;
  readonly onsetUs: number;
  readonly families: readonly number[] | null;
  firstUs: number | null;
}

/** Listens to the engine, and judges it by what is known of the faults. */
export class Judge {
  readonly #targets: readonly Target[];
  readonly #events = new Map<string, number>();
  readonly #transitions = new Map<string, TransitionEffect[]>();
  /** What struck each GPU, and its first wrong result since. */
  readonly #hits = new Map<string, Watched[]>();
  readonly #digest = createHash('sha256');
  readonly #incidents: Incidents = new Incidents();
  readonly #hardware: ReadonlySet<string>;
  readonly #quarantined = new Set<string>();
  /** When an operator was asked to condemn a GPU because a deep test showed its fault again. */
  readonly #reproducedUs = new Map<string, number[]>();
  #observations = 0;

  constructor(targets: readonly Target[]) {
    this.#targets = targets;
    for (const { number, gpus } of targets) {
      for (const { gpu, onsetUs, families } of gpus) {
        const hits = this.#hits.get(gpu.id) ?? [];
        hits.push({ number, onsetUs, families, firstUs: null });
        this.#hits.set(gpu.id, hits);
      }
    }
    this.#hardware = new Set(guiltySince(targets).keys());
  }

  /** All GPUs with a fault of their own are quarantined, and all nodes with one are known to have it. */
  get settled(): boolean {
    return (
      this.#quarantined.size === this.#hardware.size &&
      this.#nodeFaults().every(({ node }) => this.#incidents.ofNode(node) !== undefined)
    );
  }

  effects({ outbox, transitions, proposals, observations }: Effects, nowUs: number): void {
    for (const { eventId, detail } of outbox) {
      this.#events.set(detail.event, (this.#events.get(detail.event) ?? 0) + 1);
      this.#digest.update(`${eventId} ${JSON.stringify(detail)}\n`);
      this.#incidents.take(detail, nowUs);
    }
    for (const transition of transitions) {
      const earlier = this.#transitions.get(transition.deviceId);
      if (earlier === undefined) this.#transitions.set(transition.deviceId, [transition]);
      else earlier.push(transition);
      const { deviceId, to } = transition;
      if (to === 'QUARANTINED' && this.#hardware.has(deviceId)) this.#quarantined.add(deviceId);
    }
    for (const { deviceId, proposal, outcome } of proposals) {
      if (proposal.cause !== 'reproduced' || outcome !== 'PENDING') continue;
      const earlier = this.#reproducedUs.get(deviceId) ?? [];
      this.#reproducedUs.set(deviceId, [...earlier, nowUs]);
    }
    this.#observations += observations.length;
    for (const { deviceId, timeUs, family } of observations) {
      for (const hit of this.#hits.get(deviceId) ?? []) {
        if (timeUs >= hit.onsetUs && (hit.families?.includes(family) ?? true)) hit.firstUs ??= timeUs;
      }
    }
  }

  outcome(originUs: number, { records, leftOut }: { records: number; leftOut: number }): Outcome {
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
      returns: [...this.#transitions.values()].flatMap((transitions) =>
        returnsOf(transitions, this.#targets, isGuilty),
      ),
      suspectExits: [...this.#transitions.values()].flatMap(suspectExitsOf),
      incidents: this.#incidents.all(originUs),
      nodesAttributed: this.#nodeFaults().map(({ node, onsetUs }) => {
        const openedUs = this.#incidents.ofNode(node);
        return openedUs === undefined ? null : hours(openedUs - onsetUs);
      }),
      timeline: timelineOf(all, originUs),
      events: Object.fromEntries([...this.#events].sort()),
      observations: this.#observations,
      records,
      leftOut,
      digest: this.#digest.copy().digest('hex'),
    };
  }

  #nodeFaults(): { node: string; onsetUs: number }[] {
    const nodes = new Map<string, number>();
    for (const { fault, gpus } of this.#targets) {
      if (fault.kind !== 'node') continue;
      for (const { gpu, onsetUs } of gpus)
        nodes.set(gpu.node.name, Math.min(onsetUs, nodes.get(gpu.node.name) ?? onsetUs));
    }
    return [...nodes].map(([node, onsetUs]) => ({ node, onsetUs }));
  }

  #struck({ fault, number, gpus }: Target): Struck[] {
    return gpus.map(({ gpu, onsetUs }) => {
      const transitions = this.#transitions.get(gpu.id) ?? [];
      const since = (us: number | undefined): number | null => (us === undefined ? null : hours(us - onsetUs));
      const became = (state: HealthState): number | null =>
        since(transitions.find(({ to, timeUs }) => to === state && timeUs >= onsetUs)?.timeUs);
      return {
        fault: fault.name,
        kind: fault.kind,
        gpu: gpu.id,
        mismatchHours: since(this.#hits.get(gpu.id)?.find((hit) => hit.number === number)?.firstUs ?? undefined),
        suspectHours: became('SUSPECT'),
        quarantineHours: isOutAt(transitions, onsetUs) ? 0 : became('QUARANTINED'),
        condemnHours: since(this.#reproducedUs.get(gpu.id)?.find((us) => us >= onsetUs)),
      };
    });
  }
}

/** Another fault, or an operator, had taken the GPU out of service before. */
function isOutAt(transitions: readonly TransitionEffect[], us: number): boolean {
  const last = transitions.findLast(({ timeUs }) => timeUs < us)?.to ?? 'HEALTHY';
  return last !== 'HEALTHY' && last !== 'SUSPECT';
}

function suspectExitsOf(transitions: readonly TransitionEffect[]): number[] {
  return transitions.flatMap((transition, at) => {
    const before = transitions[at - 1];
    if (transition.from !== 'SUSPECT' || transition.to !== 'HEALTHY' || before === undefined) return [];
    return [hours(transition.timeUs - before.timeUs)];
  });
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

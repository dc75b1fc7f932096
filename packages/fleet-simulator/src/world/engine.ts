import {
  ALL_GATES,
  apply,
  begin,
  type CoreConfig,
  type CoreRecord,
  type CoreState,
  dueAt,
  type Effects,
  emptyState,
  type Gates,
  install,
  posteriorOdds,
} from '@sentinel/correlation-engine/core';
import { EventQueue } from './queue.js';

/** What the engine decides by. */
export interface Rules {
  readonly config: CoreConfig;
  /** Fewer than all only to show what the others are there for. */
  readonly gates?: Gates;
}

interface Due {
  readonly id: string;
  readonly us: number;
}

const NOBODY = new Set<string>();

/** A shell around the engine's core without stores: one transaction per record, at the virtual time that it is told. */
export class SimulatedEngine {
  readonly state: CoreState;
  readonly #observe: (effects: Effects, nowUs: number) => void;
  readonly #gates: Gates;
  readonly #due = new EventQueue<Due>();
  /** Times of devices that are in the queue. */
  readonly #noted = new Map<string, number>();
  #commitSeq = 0;
  #nowUs = 0;

  constructor({ config, gates = ALL_GATES }: Rules, observe: (effects: Effects, nowUs: number) => void) {
    this.state = emptyState(config);
    this.#gates = gates;
    this.#observe = observe;
  }

  get records(): number {
    return this.#commitSeq;
  }

  commit(record: CoreRecord, nowUs: number): Effects {
    this.#commitSeq += 1;
    this.#nowUs = Math.max(this.#nowUs, nowUs);
    const draft = begin(this.state);
    const effects = apply(
      draft,
      { commitSeq: this.#commitSeq, nowUs: this.#nowUs },
      record,
      posteriorOdds,
      this.#gates,
    );
    install(draft);
    for (const id of draft.devices.keys()) this.#noteDue(id);
    this.#observe(effects, this.#nowUs);
    return effects;
  }

  /** When time alone may change something next. The core would look through all devices for it, after every record. */
  get dueUs(): number {
    while (this.#isOutdated(this.#due.next)) this.#due.take();
    const ofFleet = dueAt({ ...this.state, attentive: NOBODY }) ?? Number.POSITIVE_INFINITY;
    return Math.min(ofFleet, this.#due.nextUs);
  }

  /** Devices for which it is time. */
  dueDevices(nowUs: number): string[] {
    const due = new Set<string>();
    while (this.#due.nextUs <= nowUs) {
      const entry = this.#due.take();
      if (entry !== undefined && !this.#isOutdated(entry)) due.add(entry.id);
    }
    for (const id of due) {
      this.#noted.delete(id);
      this.#noteDue(id);
    }
    return [...due];
  }

  #noteDue(id: string): void {
    const us = this.state.attentive.has(id) ? (this.state.devices.get(id)?.dueUs ?? null) : null;
    if (us !== null && this.#noted.get(id) !== us) this.#due.at(us, { id, us });
    if (us === null) this.#noted.delete(id);
    else this.#noted.set(id, us);
  }

  #isOutdated(due: Due | undefined): boolean {
    return due !== undefined && this.#noted.get(due.id) !== due.us;
  }
}

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

/** What the engine decides by. */
export interface Rules {
  readonly config: CoreConfig;
  /** Fewer than all only to show what the others are there for. */
  readonly gates?: Gates;
}

/** A shell around the engine's core without stores: one transaction per record, at the virtual time that it is told. */
export class SimulatedEngine {
  readonly state: CoreState;
  readonly #observe: (effects: Effects, nowUs: number) => void;
  readonly #gates: Gates;
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
    this.#observe(effects, this.#nowUs);
    return effects;
  }

  /** When time alone may change something next. */
  get dueUs(): number {
    return dueAt(this.state) ?? Number.POSITIVE_INFINITY;
  }

  /** Devices for which it is time. */
  dueDevices(nowUs: number): string[] {
    return this.state.due.until(nowUs);
  }
}

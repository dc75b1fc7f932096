import {
  apply,
  begin,
  type CoreConfig,
  type CoreRecord,
  type CoreState,
  dueAt,
  type Effects,
  emptyState,
  install,
} from '@sentinel/correlation-engine/core';

/** A shell around the engine's core without stores: one transaction per record, at the virtual time that it is told. */
export class SimulatedEngine {
  readonly state: CoreState;
  readonly #observe: (effects: Effects, nowUs: number) => void;
  #commitSeq = 0;
  #nowUs = 0;

  constructor(config: CoreConfig, observe: (effects: Effects, nowUs: number) => void) {
    this.state = emptyState(config);
    this.#observe = observe;
  }

  get records(): number {
    return this.#commitSeq;
  }

  commit(record: CoreRecord, nowUs: number): Effects {
    this.#commitSeq += 1;
    this.#nowUs = Math.max(this.#nowUs, nowUs);
    const draft = begin(this.state);
    const effects = apply(draft, { commitSeq: this.#commitSeq, nowUs: this.#nowUs }, record);
    install(draft);
    this.#observe(effects, this.#nowUs);
    return effects;
  }

  /** When time alone may change something next. */
  get dueUs(): number {
    return dueAt(this.state) ?? Number.POSITIVE_INFINITY;
  }
}

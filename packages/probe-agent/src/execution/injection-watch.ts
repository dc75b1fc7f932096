import type { Logger } from '@sentinel/service-kit/logging';
import type { ProbeChild } from '../probe-child/probe-child.js';

const TIMEOUT_MS = 5_000;

/** Test build: says in the log, once, when the native code falsified its first result. Benchmarks count from that moment. */
export class InjectionWatch {
  readonly #log: Logger;
  #done = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Called after every launch of a child; asks no more once the first is known. */
  async look(child: Pick<ProbeChild, 'ask'>): Promise<void> {
    if (this.#done) return;
    const reply = await child.ask('falsified', null, TIMEOUT_MS);
    if (this.#done || reply.kind !== 'answer' || reply.value.firstUs === null) return;
    this.#done = true;
    this.#log.warn({ atUs: reply.value.firstUs }, 'first injected wrong result');
  }
}

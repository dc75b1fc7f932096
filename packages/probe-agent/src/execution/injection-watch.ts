import type { Logger } from '@sentinel/service-kit/logging';
import type { ProbeChild } from '../probe-child/probe-child.js';

const TIMEOUT_MS = 5_000;

/** Test build: says in the log, once, when the native code falsified its first result. Benchmarks count from that moment. */
export class InjectionWatch {
  readonly #child: Pick<ProbeChild, 'ask'>;
  readonly #log: Logger;
  #done = false;

  constructor(child: Pick<ProbeChild, 'ask'>, log: Logger) {
    this.#child = child;
    this.#log = log;
  }

  /** Called after every launch; asks no more once the first is known. */
  async look(): Promise<void> {
    if (this.#done) return;
    const reply = await this.#child.ask('falsified', null, TIMEOUT_MS);
    if (this.#done || reply.kind !== 'answer' || reply.value.firstUs === null) return;
    this.#done = true;
    this.#log.warn({ atUs: reply.value.firstUs }, 'first injected wrong result');
  }
}

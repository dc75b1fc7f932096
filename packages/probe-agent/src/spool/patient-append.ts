import type { UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Logger } from '@sentinel/service-kit/logging';

const RETRY_MS = 1_000;

/** A lasting lack of space is said once in so many tries. */
const TRIES_PER_LINE = 60;

export interface PatientParts {
  readonly append: (payload: UplinkPayload) => Promise<unknown>;
  readonly onAppended: () => void;
  /** The spool is lost until a restart. */
  readonly onLost: (error: unknown) => void;
  readonly log: Logger;
}

/** Appends to the spool, waiting while the disk is full: nothing is dropped, and probing waits with it. */
export class PatientAppender {
  readonly #parts: PatientParts;
  readonly #stop = new AbortController();

  constructor(parts: PatientParts) {
    this.#parts = parts;
  }

  /** Resolves when the payload is durable, or given up because the agent stops or the spool is lost. Never rejects. */
  async append(payload: UplinkPayload): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        await this.#parts.append(payload);
        this.#parts.onAppended();
        return;
      } catch (error) {
        const known = SentinelError.from(error);
        if (known.code !== 'RESOURCE_EXHAUSTED') return this.#parts.onLost(error);
        if (tries % TRIES_PER_LINE === 0) this.#parts.log.error(`${known.sentence} Probing waits until then.`);
        if (this.#stop.signal.aborted) return;
        await this.#pause();
      }
    }
  }

  /** What waits is tried once more and then given up. */
  stop(): void {
    this.#stop.abort();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RETRY_MS);
      this.#stop.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

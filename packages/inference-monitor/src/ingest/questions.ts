import type { Answer, Question } from '@sentinel/contracts/sentinel/v1/inference.js';
import { SentinelError } from '@sentinel/service-kit/errors';

/** Questions to one sender that wait for an answer. */
export const MAX_QUESTIONS = 16;

export type Asked = NonNullable<Question['body']>;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: SentinelError) => void;
  readonly timer: NodeJS.Timeout;
}

/** Questions to one sender, and who waits for the answer. */
export class Questions {
  readonly #send: (question: Question) => boolean;
  readonly #waiting = new Map<bigint, Waiting>();
  #last = 0n;

  /** @param send false where the sender takes nothing now */
  constructor(send: (question: Question) => boolean) {
    this.#send = send;
  }

  /**
   * @throws SentinelError RESOURCE_EXHAUSTED while too many wait, UNAVAILABLE where the sender is away, DEADLINE_EXCEEDED where it says
   * nothing in time
   */
  ask(body: Asked, timeoutMs: number): Promise<Answer> {
    if (this.#waiting.size >= MAX_QUESTIONS) {
      const message = `${MAX_QUESTIONS} questions wait for this inference server already`;
      return Promise.reject(new SentinelError({ code: 'RESOURCE_EXHAUSTED', message }));
    }
    this.#last += 1n;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const message = `the inference server did not answer in ${timeoutMs} ms`;
        this.#settle(id)?.reject(new SentinelError({ code: 'DEADLINE_EXCEEDED', message }));
      }, timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      if (!this.#send({ id, body })) this.#settle(id)?.reject(away());
    });
  }

  /** An answer to a question that nobody asked, or that is too late, is dropped. */
  answered(answer: Answer): void {
    this.#settle(answer.id)?.resolve(answer);
  }

  /** The sender is gone. */
  end(): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(away());
  }

  #settle(id: bigint): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting !== undefined) clearTimeout(waiting.timer);
    return waiting;
  }
}

function away(): SentinelError {
  return new SentinelError({ code: 'UNAVAILABLE', message: 'the inference server is not connected' });
}

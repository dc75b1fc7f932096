import type { Replay } from '@sentinel/contracts/sentinel/v1/inference.js';
import type { Digested } from './own-server.js';
import { pinnedTo, type TensorAnswer } from './upstream/kserve.js';

/** A request of a user that is computed again. */
export interface Question {
  /** For others, once the server beside has answered; null = it is not known who else would compute the same. */
  readonly replay: Replay | null;
  /** Which of several models, and which version of it; '' = there is but one. */
  readonly subject: string;
  /** Puts it to the server beside. @throws SentinelError */
  ask(): Promise<Digested>;
}

export interface TensorQuestionParts {
  readonly ask: (replay: Replay) => Promise<Digested & TensorAnswer>;
  /** Of the path of a version: since it was asked last. */
  readonly isReloaded: (path: string) => Promise<boolean>;
  readonly onReloaded: () => void;
}

/**
 * Servers of KServe v2 change models while they run, one replica after the other: only the version that has answered here is asked of
 * others, and a version that was loaded anew has to show anew that it agrees.
 */
export class TensorQuestion implements Question {
  readonly #parts: TensorQuestionParts;
  readonly #asked: Replay;
  #pinned: Replay | null = null;

  constructor(asked: Replay, parts: TensorQuestionParts) {
    this.#asked = asked;
    this.#parts = parts;
  }

  get replay(): Replay | null {
    return this.#pinned;
  }

  get subject(): string {
    return this.#pinned?.path ?? '';
  }

  async ask(): Promise<Digested> {
    const { ask, isReloaded, onReloaded } = this.#parts;
    const answer = await ask(this.#pinned ?? this.#asked);
    this.#pinned ??= pinnedTo(this.#asked, answer.version);
    if (this.#pinned !== null && (await isReloaded(this.#pinned.path))) onReloaded();
    return answer;
  }
}

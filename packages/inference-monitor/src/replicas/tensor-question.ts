import type { Replay } from '@sentinel/contracts/sentinel/v1/inference.js';
import type { Digested } from './own-server.js';
import { pinnedTo, type TensorAnswer } from './upstream/kserve.js';

/** A request of a user that is computed again. */
export interface Question {
  /** For others, once the server beside has answered; null = it is not known who else would compute the same. */
  readonly replay: Replay | null;
  /** Which of several models, and which version of it; '' = there is but one. */
  readonly subject: string;
  /** It is known that the model computes from the request and its weights alone, once the server beside has answered. */
  readonly isPure: boolean;
  /** Puts it to the server beside. @throws SentinelError */
  ask(): Promise<Digested>;
}

export interface TensorQuestionParts {
  readonly ask: (replay: Replay) => Promise<Digested & TensorAnswer>;
  /** Of the path of a version: since it was asked last. */
  readonly isReloaded: (path: string) => Promise<boolean>;
  /** Of the path of a version. */
  readonly isPure: (path: string) => Promise<boolean>;
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
  #isPure = false;

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

  get isPure(): boolean {
    return this.#isPure;
  }

  async ask(): Promise<Digested> {
    const { ask, isReloaded, isPure, onReloaded } = this.#parts;
    const answer = await ask(this.#pinned ?? this.#asked);
    this.#pinned ??= pinnedTo(this.#asked, answer.version);
    if (this.#pinned === null) return answer;
    if (await isReloaded(this.#pinned.path)) onReloaded();
    this.#isPure = await isPure(this.#pinned.path);
    return answer;
  }
}

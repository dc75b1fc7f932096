import { StopStack } from '@sentinel/service-kit/lifecycle';

/** Until it is begun again. */
const RETRY_MS = 30_000;

export interface KeptUpParts<Running> {
  /**
   * @param stack ends what was begun, also where the rest could not be
   * @param lost to be called when it cannot go on
   */
  readonly begin: (stack: StopStack, lost: (error: unknown) => void) => Promise<Running>;
  /** It could not be begun, or cannot go on. */
  readonly onDown: (error: unknown, retryMs: number) => void;
  readonly retryMs?: number;
}

/** Something that is begun again and again until it is there, and once more when it is lost, while other things go on. */
export class KeptUp<Running> {
  readonly #parts: KeptUpParts<Running>;
  readonly #retryMs: number;
  #stack = new StopStack();
  #current: Running | null = null;
  #timer: NodeJS.Timeout | null = null;
  #trying: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: KeptUpParts<Running>) {
    this.#parts = parts;
    this.#retryMs = parts.retryMs ?? RETRY_MS;
  }

  /** Null while it is not there. */
  get current(): Running | null {
    return this.#current;
  }

  /** Begins it, and no second time. @throws what stopped it @param lost when it cannot go on */
  async once(lost: (error: unknown) => void): Promise<void> {
    this.#current = await this.#parts.begin(this.#stack, lost);
  }

  /** Resolves after the first try. */
  keepUp(): Promise<void> {
    this.#trying = this.#try();
    return this.#trying;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#trying;
    this.#current = null;
    await this.#stack.stop();
  }

  async #try(): Promise<void> {
    const stack = new StopStack();
    this.#stack = stack;
    let begun = false;
    let failure: unknown;
    const lost = (error: unknown): void => {
      failure ??= error;
      if (begun && this.#stack === stack) this.#trying = this.#down(error);
    };
    try {
      this.#current = await this.#parts.begin(stack, lost);
      begun = true;
    } catch (error) {
      failure ??= error;
    }
    if (failure !== undefined) await this.#down(failure);
  }

  /** Ends what is left of it. What cannot be ended in order is gone all the same. */
  async #down(error: unknown): Promise<void> {
    const stack = this.#stack;
    this.#stack = new StopStack();
    this.#current = null;
    this.#parts.onDown(error, this.#retryMs);
    await stack.stop().catch(() => undefined);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#trying = this.#try();
    }, this.#retryMs);
  }
}

/**
 * Lets processes that share a store act one operation at a time, in an order that a seed decides. Each operation waits for its
 * turn; a process that was killed never gets one again, and one that is paused gets none for a while.
 */
import { setImmediate } from 'node:timers/promises';
import { below, type Random } from '../random.js';

/** What becomes of an operation: done; not done; done, but its process is told that it failed; done later, if ever. */
export type Fate = 'done' | 'refused' | 'unheard' | 'late';

interface Waiting {
  readonly process: Process;
  readonly go: (fate: Fate) => void;
}

export class Process {
  alive = true;
  /** Steps of the schedule that pass before it acts again. */
  pausedUntil = 0;
  /** Its connection to the store is cut: how many of its next operations fail. */
  cut = 0;
  readonly #turns: Turns;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** Resolves when the next operation of this process may happen. */
  async turn(): Promise<Fate> {
    return await this.#turns.wait(this);
  }
}

/** Acts whenever it wants to. */
export class AtOnce extends Process {
  override turn(): Promise<Fate> {
    return Promise.resolve('done');
  }
}

export class Turns {
  step = 0;
  readonly #random: Random;
  #waiting: Waiting[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  wait(process: Process): Promise<Fate> {
    return new Promise((go) => this.#waiting.push({ process, go }));
  }

  /** Lets one operation happen. @returns false where no process wants anything */
  async next(): Promise<boolean> {
    // Everything that a process does without the store is done by then.
    await setImmediate();
    this.step += 1;
    this.#waiting = this.#waiting.filter(({ process }) => process.alive);
    const ready = this.#waiting.filter(({ process }) => process.pausedUntil <= this.step);
    const chosen = ready[below(this.#random, ready.length)];
    if (chosen === undefined) return this.#waiting.length > 0;
    this.#waiting = this.#waiting.filter((each) => each !== chosen);
    chosen.go(this.#fate(chosen.process));
    // It happens, and its process goes on to its next one, before anything else does.
    await setImmediate();
    return true;
  }

  #fate(process: Process): Fate {
    if (process.cut === 0) return 'done';
    process.cut -= 1;
    return (['refused', 'unheard', 'late'] as const)[below(this.#random, 3)] ?? 'refused';
  }
}

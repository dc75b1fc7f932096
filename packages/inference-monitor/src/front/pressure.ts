import { READ_BYTES } from './http1/server-sockets.js';

/** Whatever holds bytes until somebody reads them. */
export interface Holding {
  /** Bytes. */
  readonly waiting: number;
  crowd(isCrowded: boolean): void;
}

export interface PressureParts {
  /** Bytes that may wait, and again as many that have waited and are garbage. */
  readonly mayWait: number;
  readonly all: readonly Holding[];
  /** Bytes of all buffers, garbage among them. */
  readonly buffers: () => number;
  /** Collects garbage, young or all. The engine knows nothing of the memory that a container has, and lets twice as much of it be. */
  readonly collect: (which: 'minor' | 'major') => void;
}

/** From this share of what may wait on, less is read at a time. */
const NEAR = 0.5;
const NEAR_READ_BYTES = 4_096;
/** Of what may wait, how much is read between two looks. */
const LOOK_EVERY = 0.25;

/** Keeps within bounds what waits for whoever reads slowly. */
export class Pressure {
  readonly #parts: PressureParts;
  #read = 0;
  #size = READ_BYTES;
  /** Read since the last collection of garbage. */
  #sinceClean = 0;
  /** That of the young has left too much. */
  #isStubborn = false;

  constructor(parts: PressureParts) {
    this.#parts = parts;
  }

  /** Whether much waits already. */
  get isNear(): boolean {
    return this.#size < READ_BYTES;
  }

  /** So much was read of answers. @returns how much may be read at a time: where that is little, little waits for each client */
  read(bytes: number): number {
    this.#read += bytes;
    if (this.#read > LOOK_EVERY * this.#parts.mayWait) this.look();
    return this.#size;
  }

  /** To be called often, whatever is read. While too much waits everybody refuses more. */
  look(): void {
    const { mayWait, all } = this.#parts;
    this.#sinceClean += this.#read;
    this.#read = 0;
    const waiting = all.reduce((sum, one) => sum + one.waiting, 0);
    for (const one of all) one.crowd(waiting > mayWait);
    this.#size = waiting > NEAR * mayWait ? NEAR_READ_BYTES : READ_BYTES;
    this.#clean(waiting);
  }

  /** Where much was read since the last time. What a collection of the young leaves takes one of all. */
  #clean(waiting: number): void {
    const { mayWait, buffers, collect } = this.#parts;
    if (buffers() - waiting <= mayWait) {
      this.#isStubborn = false;
      return;
    }
    if (this.#sinceClean < LOOK_EVERY * mayWait) return;
    this.#sinceClean = 0;
    collect(this.#isStubborn ? 'major' : 'minor');
    this.#isStubborn = true;
  }
}

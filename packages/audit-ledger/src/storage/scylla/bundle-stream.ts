/** Rows a bundle of 256 positions at a time, for whoever walks a log: asked for in order, they are read in large pages. */
import { TILE_WIDTH } from '../../tiles/path.js';
import { Turns } from '../../turns.js';
import type { RowKey } from './log-rows.js';

export class BundleStream<R extends RowKey> {
  readonly #open: (from: number) => AsyncGenerator<R>;
  readonly #turns = new Turns();
  #rows: AsyncGenerator<R> | undefined;
  #ahead: R | undefined;
  /** Position that the rows not yet given out begin at. */
  #next = 0;

  /** `open` gives the rows that begin at a position or later. */
  constructor(open: (from: number) => AsyncGenerator<R>) {
    this.#open = open;
  }

  /** Rows that begin in bundle `index`; several may be asked for at once. */
  async bundle(index: number): Promise<R[]> {
    return await this.#turns.take(() => this.#bundle(index));
  }

  async #bundle(index: number): Promise<R[]> {
    const from = index * TILE_WIDTH;
    if (this.#rows === undefined || from !== this.#next) await this.#seek(from);
    this.#next = from + TILE_WIDTH;
    const found: R[] = [];
    while (this.#ahead !== undefined && this.#ahead.first < this.#next) {
      found.push(this.#ahead);
      await this.#advance();
    }
    return found;
  }

  async close(): Promise<void> {
    await this.#rows?.return(undefined);
  }

  async #seek(from: number): Promise<void> {
    await this.close();
    this.#rows = this.#open(from);
    await this.#advance();
  }

  async #advance(): Promise<void> {
    const step = await this.#rows?.next();
    this.#ahead = step === undefined || step.done === true ? undefined : step.value;
  }
}

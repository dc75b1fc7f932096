import { changes, type Snapshot, statusLines } from './status-view.js';

export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const CLEAR_BELOW = '\x1b[J';
/** The terminal cuts a line at its edge, so that a line of the status is a line of the screen. */
const NO_WRAP = '\x1b[?7l';
const WRAP = '\x1b[?7h';

/** Shows what happens: redrawn in place on a terminal, a line per change elsewhere. */
export class Display {
  readonly #out: Output;
  #drawn = 0;
  #before: Snapshot | null = null;

  constructor(out: Output) {
    this.#out = out;
  }

  /** A line that stays. */
  say(line: string): void {
    this.#erase();
    this.#out.write(`${line}\n`);
  }

  show(snapshot: Snapshot): void {
    const before = this.#before;
    this.#before = snapshot;
    if (this.#out.isTTY !== true) {
      for (const line of changes(before, snapshot)) this.#out.write(`${line}\n`);
      return;
    }
    const lines = statusLines(snapshot);
    this.#erase();
    this.#out.write(`${NO_WRAP}${lines.join('\n')}\n${WRAP}`);
    this.#drawn = lines.length;
  }

  #erase(): void {
    if (this.#drawn > 0) this.#out.write(`\x1b[${this.#drawn}A\r${CLEAR_BELOW}`);
    this.#drawn = 0;
  }
}

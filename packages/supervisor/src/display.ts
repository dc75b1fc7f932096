import { hang, paint } from '@sentinel/cli/views';
import { news, progress, remember } from './news.js';
import { type Snapshot, statusLines } from './status-view.js';

export interface Output {
  readonly isTTY?: boolean;
  /** Lines of the terminal; absent = no terminal. */
  readonly rows?: number;
  /** Characters of its lines. */
  readonly columns?: number;
  write(text: string): unknown;
}

const CLEAR_BELOW = '\x1b[J';
/** The terminal cuts a line at its edge, so that a line of the status is a line of the screen. */
const NO_WRAP = '\x1b[?7l';
const WRAP = '\x1b[?7h';
const DEFAULT_ROWS = 24;
const DEFAULT_COLUMNS = 80;

/** Shows what happens: news stay, and on a terminal the status below them is redrawn in place. */
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
    this.#before = remember(before, snapshot);
    const terminal = this.#out.isTTY === true;
    const lines = terminal ? news(before, snapshot) : [...news(before, snapshot), ...progress(before, snapshot)];
    const width = terminal ? (this.#out.columns ?? DEFAULT_COLUMNS) : Number.POSITIVE_INFINITY;
    for (const line of lines)
      for (const part of hang(`${paint('dim', clock(snapshot.nowUs))}  `, line, width)) this.say(part);
    if (terminal) this.#draw(statusLines(snapshot));
  }

  #draw(lines: readonly string[]): void {
    const shown = clip(['', ...lines], (this.#out.rows ?? DEFAULT_ROWS) - 1);
    this.#erase();
    this.#out.write(`${NO_WRAP}${shown.join('\n')}\n${WRAP}`);
    this.#drawn = shown.length;
  }

  #erase(): void {
    if (this.#drawn > 0) this.#out.write(`\x1b[${this.#drawn}A\r${CLEAR_BELOW}`);
    this.#drawn = 0;
  }
}

/** Lines that scrolled out of the screen could not be redrawn. */
function clip(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows) return lines;
  const shown = lines.slice(0, Math.max(0, rows - 1));
  return [...shown, `… and ${lines.length - shown.length} more lines: npx sentinel gpus list shows all`];
}

/** Time of day, UTC. */
function clock(us: bigint): string {
  return `${new Date(Number(us / 1000n)).toISOString().slice(11, 19)}Z`;
}

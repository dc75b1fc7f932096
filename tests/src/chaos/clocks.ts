import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How far each clock is from that of this machine, milliseconds. Those of engines are files, which they read. */
export class Clocks {
  readonly #folder: string;
  readonly #engines: number[];
  readonly #agents = new Map<number, number>();
  #all = 0;

  constructor(folder: string, engines: number) {
    this.#folder = folder;
    this.#engines = Array.from({ length: engines }, () => 0);
    this.#write();
  }

  /** What every clock has moved by, without the jumps of its own. */
  get common(): { readonly skewMs: number; readonly file: string } {
    return { skewMs: this.#all, file: this.#common };
  }

  file(engine: number): string {
    return join(this.#folder, `clock-${engine}`);
  }

  ofAgent(index: number): number {
    return this.#all + (this.#agents.get(index) ?? 0);
  }

  jumpAgent(index: number, ms: number): void {
    this.#agents.set(index, ms);
  }

  jumpEngine(index: number, ms: number): void {
    this.#engines[index] = ms;
    this.#write();
  }

  jumpAll(ms: number): void {
    this.#all += ms;
    this.#write();
  }

  get #common(): string {
    return join(this.#folder, 'clock');
  }

  #write(): void {
    writeFileSync(this.#common, String(this.#all));
    for (const [index, ms] of this.#engines.entries()) writeFileSync(this.file(index), String(this.#all + ms));
  }
}

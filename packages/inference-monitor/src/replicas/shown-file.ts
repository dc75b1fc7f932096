import { readFileSync } from 'node:fs';
import { writeFileDurably } from '@sentinel/service-kit/files';
import { Repeatability, type Shown } from './judge/repeatability.js';

/** What is known of the server under one configuration. */
interface Kept {
  readonly configHash: string;
  readonly canary: Shown;
  readonly replay: Shown;
}

/** Whether the server was shown to repeat itself, and what it answered: kept over restarts of the monitor. */
export class ShownFile {
  readonly #file: string;
  #configHash = '';
  #written = '';
  canary = new Repeatability();
  replay = new Repeatability();

  /** @param file need not be there; one that cannot be read counts as none */
  constructor(file: string) {
    this.#file = file;
  }

  /** What was shown of another configuration says nothing of this one. */
  use(configHash: string): void {
    if (configHash === this.#configHash || configHash === '') return;
    const kept = this.#read();
    this.#configHash = configHash;
    const known = kept?.configHash === configHash ? kept : undefined;
    this.canary = new Repeatability(known?.canary);
    this.replay = new Repeatability(known?.replay);
  }

  /** @throws Error of the file system */
  save(): void {
    if (this.#configHash === '') return;
    const kept: Kept = { configHash: this.#configHash, canary: this.canary.shown, replay: this.replay.shown };
    const text = JSON.stringify(kept);
    if (text === this.#written) return;
    writeFileDurably(this.#file, text);
    this.#written = text;
  }

  #read(): Kept | undefined {
    try {
      const kept = JSON.parse(readFileSync(this.#file, 'utf8')) as Kept;
      return isShown(kept.canary) && isShown(kept.replay) ? kept : undefined;
    } catch {
      return undefined;
    }
  }
}

function isShown(value: Partial<Shown> | undefined): boolean {
  const phases: readonly unknown[] = ['learning', 'repeatable', 'varies'];
  return phases.includes(value?.phase) && typeof value?.rounds === 'number' && typeof value.references === 'object';
}

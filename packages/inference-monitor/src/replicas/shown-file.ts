import { readFileSync } from 'node:fs';
import { writeFileDurably } from '@sentinel/service-kit/files';
import { Repeatability, type Shown } from './judge/repeatability.js';

/** What is known of the server under one configuration. */
interface Kept {
  readonly configHash: string;
  readonly canary: Shown;
  readonly replay: Shown;
}

/** A server without what its library tells, with it, and before and after an update that is taken back. The one used longest ago gives way. */
const MAX_CONFIGURATIONS = 4;

/** Whether the server was shown to repeat itself, and what it answered: kept over restarts of the monitor, of each configuration apart. */
export class ShownFile {
  readonly #file: string;
  /** Of other configurations, the one used last first. */
  #others: readonly Kept[] = [];
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
    const all = this.#configHash === '' ? this.#read() : [this.#kept(), ...this.#others];
    const known = all.find((kept) => kept.configHash === configHash);
    this.#others = all.filter((kept) => kept !== known).slice(0, MAX_CONFIGURATIONS - 1);
    this.#configHash = configHash;
    this.canary = new Repeatability(known?.canary);
    this.replay = new Repeatability(known?.replay);
  }

  /** @throws Error of the file system */
  save(): void {
    if (this.#configHash === '') return;
    const text = JSON.stringify([this.#kept(), ...this.#others]);
    if (text === this.#written) return;
    writeFileDurably(this.#file, text);
    this.#written = text;
  }

  #kept(): Kept {
    return { configHash: this.#configHash, canary: this.canary.shown, replay: this.replay.shown };
  }

  #read(): readonly Kept[] {
    try {
      const kept = JSON.parse(readFileSync(this.#file, 'utf8')) as readonly Kept[];
      return kept.filter(({ canary, replay }) => isShown(canary) && isShown(replay));
    } catch {
      return [];
    }
  }
}

function isShown(value: Partial<Shown> | undefined): boolean {
  const phases: readonly unknown[] = ['learning', 'repeatable', 'varies'];
  return phases.includes(value?.phase) && typeof value?.rounds === 'number' && typeof value.references === 'object';
}

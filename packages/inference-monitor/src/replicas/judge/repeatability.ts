/** Rounds in which every answer of the server has to be equal before it counts as one that answers alike whatever shares the batch. */
export const SHOWN_ROUNDS = 8;

/** Prompts whose answers are kept. */
export const MAX_PROMPTS = 64;

/** Newest rounds after which a contradiction is forgotten. */
const RECENT = 64;

/** A server that varied is looked at again after so long: it may have been a passing fault, or the load that it was started under. */
const LOOK_AGAIN_US = 24 * 3_600_000_000;

/** learning = not known yet; repeatable = shown to answer alike whatever shares the batch; varies = it does not. */
export type Phase = 'learning' | 'repeatable' | 'varies';

/** What survives a restart of the monitor. */
export interface Shown {
  readonly phase: Phase;
  readonly rounds: number;
  /** Microseconds since the Unix epoch. */
  readonly sinceUs: number;
  /** Digest of the answer to each prompt. */
  readonly references: Readonly<Record<string, string>>;
}

/**
 * Is a server one whose answers have to be equal bits? Nobody is believed: the same question is asked alone and while others run, and only
 * where all answers of SHOWN_ROUNDS rounds were equal, and equal to those of the rounds before, it is. Once shown it stays so: a server
 * that contradicts itself later has a fault, and must not hide it by being one that varies. Only where most replicas do so it is withdrawn.
 */
export class Repeatability {
  #phase: Phase = 'learning';
  #rounds = 0;
  #sinceUs = 0;
  readonly #references = new Map<string, string>();
  /** Newest rounds, true = it contradicted itself. */
  readonly #recent: boolean[] = [];

  constructor(shown?: Shown) {
    if (shown === undefined) return;
    this.#phase = shown.phase;
    this.#rounds = shown.rounds;
    this.#sinceUs = shown.sinceUs;
    for (const [prompt, digest] of Object.entries(shown.references)) this.#references.set(prompt, digest);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Of the newest rounds, those in which it contradicted itself. */
  get contradictions(): number {
    return this.#recent.filter(Boolean).length;
  }

  get shown(): Shown {
    const references = Object.fromEntries(this.#references);
    return { phase: this.#phase, rounds: this.#rounds, sinceUs: this.#sinceUs, references };
  }

  /** What this server answered when it was found repeatable, or while it is looked at; null = not known. */
  reference(prompt: string): string | null {
    return this.#references.get(prompt) ?? null;
  }

  /** Everybody, itself too, answers otherwise than before: the model was exchanged. */
  replaceReference(prompt: string, digest: string): void {
    this.#references.set(prompt, digest);
  }

  /**
   * @param prompt '' = it is asked once: no other round is compared with
   * @param digests of all its answers to one question in one round, at least two of them while it is looked at
   */
  round(prompt: string, digests: readonly string[], nowUs: number): void {
    if (this.#phase === 'varies' && nowUs - this.#sinceUs >= LOOK_AGAIN_US) this.#begin('learning', nowUs);
    const alike = new Set(digests).size === 1;
    if (this.#phase === 'repeatable') this.#note(!alike);
    const [digest] = digests;
    if (this.#phase === 'varies' || digest === undefined) return;
    const known = prompt === '' ? digest : this.#references.get(prompt);
    if (known === undefined && alike) this.#remember(prompt, digest);
    if (this.#phase === 'repeatable') return;
    if (!alike || (known !== undefined && known !== digest)) return this.#begin('varies', nowUs);
    this.#rounds += 1;
    if (this.#rounds < SHOWN_ROUNDS) return;
    this.#phase = 'repeatable';
    this.#sinceUs = nowUs;
  }

  /** Most replicas contradict themselves: it is the engine and not a device. */
  withdraw(nowUs: number): void {
    this.#begin('varies', nowUs);
  }

  #begin(phase: Phase, nowUs: number): void {
    this.#phase = phase;
    this.#rounds = 0;
    this.#sinceUs = nowUs;
    this.#recent.length = 0;
    this.#references.clear();
  }

  #note(contradicted: boolean): void {
    this.#recent.push(contradicted);
    if (this.#recent.length > RECENT) this.#recent.shift();
  }

  #remember(prompt: string, digest: string): void {
    this.#references.set(prompt, digest);
    const [oldest] = this.#references.keys();
    if (this.#references.size > MAX_PROMPTS && oldest !== undefined) this.#references.delete(oldest);
  }
}

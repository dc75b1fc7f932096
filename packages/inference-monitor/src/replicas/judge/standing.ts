/** Kinds of comparison. */
export type Kind = 'canary' | 'replay' | 'weights';

/** Subjects that are remembered; the one that agreed longest ago gives way. */
const MAX_SUBJECTS = 256;

/** Subjects and other replicas that are remembered. */
const MAX_OTHERS = 4_096;

/** Another replica, and since when its server runs, microseconds since the Unix epoch. */
export interface Other {
  readonly replica: string;
  readonly sinceUs: number;
}

/** What is held against this replica, and told once while it lasts. */
export interface Doubt {
  readonly news: 'begins' | 'untold' | 'known';
  readonly onUntold: () => void;
}

interface Count {
  agreed: number;
  /** It lost at least once. */
  lost: boolean;
  /** When it lost, and has not agreed since; null = it did not, or has. */
  lostSinceUs: number | null;
}

const NOTHING: Count = { agreed: 0, lost: false, lostSinceUs: null };

/** How this replica stood in comparisons since its server was started. */
export class Standing {
  /** By kind and severity, what is held against it without a vote. */
  readonly #doubts = new Map<string, Doubt['news']>();
  /** Subjects of which nobody knows what they read, and how often this replica began to differ there. */
  readonly #differed = new Map<string, number>();
  /** Subjects and replicas in which it agreed with them, and since when their servers ran then. */
  readonly #with = new Map<string, Other & { readonly kind: Kind }>();
  readonly #counts: Record<Kind, Count> = { canary: { ...NOTHING }, replay: { ...NOTHING }, weights: { ...NOTHING } };

  /**
   * Others with which it agreed since its server was started, and theirs: only then another answer is a change, and not another configuration
   * or other weights under the same name. After an update that replaces one replica after the other the last one differs from all.
   * @param subject what was compared, such as a version of one of several models; '' = there is but one
   */
  agreedWith(kind: Kind, subject: string, others: readonly Other[]): number {
    const known = others.filter(
      ({ replica, sinceUs }) => this.#with.get(`${kind} ${subject} ${replica}`)?.sinceUs === sinceUs,
    );
    return countOf(known);
  }

  /** Others with which it agreed in anything of this kind since its server was started. */
  others(kind: Kind): number {
    return countOf([...this.#with.values()].filter((other) => other.kind === kind));
  }

  /** Comparisons of this kind in which it agreed since it last lost one, of whatever kind. */
  agreedBefore(kind: Kind): number {
    return this.#counts[kind].agreed;
  }

  /** When it lost first, of what it has not agreed in since; null = there is no such kind. Microseconds since the Unix epoch. */
  get lostSinceUs(): number | null {
    const times = Object.values(this.#counts).flatMap(({ lostSinceUs }) => lostSinceUs ?? []);
    return times.length === 0 ? null : Math.min(...times);
  }

  /**
   * One fault may show in all kinds of comparison: what it agreed in before says nothing of it in any.
   * @returns what takes that back at once, where it could not be told: the next loss is news then, after as many agreements
   */
  lost(kind: Kind, nowUs: number): () => void {
    const before = structuredClone(this.#counts);
    for (const count of Object.values(this.#counts)) count.agreed = 0;
    this.#counts[kind].lost = true;
    this.#counts[kind].lostSinceUs ??= nowUs;
    return () => void Object.assign(this.#counts, before);
  }

  /** @returns true where that is worth telling: of one that lost before, after 1, 10, 100, … comparisons */
  agreed(kind: Kind, subject = '', others: readonly Other[] = []): boolean {
    const count = this.#counts[kind];
    for (const other of others) this.#remember(`${kind} ${subject} ${other.replica}`, { ...other, kind });
    count.agreed += 1;
    count.lostSinceUs = null;
    this.cleared(kind);
    return count.lost && Number.isInteger(Math.log10(count.agreed));
  }

  /**
   * It begins where it is the first since it agreed, was cleared or was started: replicas that differ for good, as those on other hardware do,
   * are told of once and not in every round.
   */
  doubt(kind: Kind, severity: string): Doubt {
    const key = `${kind} ${severity}`;
    const news = this.#doubts.get(key) ?? 'begins';
    this.#doubts.set(key, 'known');
    return { news, onUntold: () => void this.#doubts.set(key, 'untold') };
  }

  /** @returns how often it has begun to differ in this subject, this time included */
  differed(subject: string, begins: boolean): number {
    const times = (this.#differed.get(subject) ?? 0) + (begins ? 1 : 0);
    this.#differed.delete(subject);
    this.#differed.set(subject, times);
    const [oldest] = this.#differed.keys();
    if (this.#differed.size > MAX_SUBJECTS && oldest !== undefined) this.#differed.delete(oldest);
    return times;
  }

  #remember(subject: string, other: Other & { readonly kind: Kind }): void {
    this.#with.delete(subject);
    this.#with.set(subject, other);
    const [oldest] = this.#with.keys();
    if (this.#with.size > MAX_OTHERS && oldest !== undefined) this.#with.delete(oldest);
  }

  /** It answers what it did before. */
  cleared(kind: Kind): void {
    for (const doubt of this.#doubts.keys()) if (doubt.startsWith(`${kind} `)) this.#doubts.delete(doubt);
  }

  /** The server was started anew, or holds another model. */
  restart(): void {
    this.#doubts.clear();
    this.#differed.clear();
    this.#with.clear();
    for (const count of Object.values(this.#counts)) count.agreed = 0;
  }
}

function countOf(others: readonly Other[]): number {
  return new Set(others.map(({ replica }) => replica)).size;
}

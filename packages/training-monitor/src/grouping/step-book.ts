/** Rounds of one kind that wait for further ranks; the oldest is closed early to make room. */
export const MAX_OPEN = 64;

/** A round is closed so long after its first copy, whoever is missing. */
export const GRACE_MS = 5_000;

/** Rounds that are remembered as closed, so that a late copy is not taken for a new round. */
const MAX_CLOSED = 1_024;

/** One round: what each rank told of it. */
export interface Round<T> {
  readonly key: string;
  readonly copies: ReadonlyMap<number, T>;
}

interface Open<T> {
  readonly copies: Map<number, T>;
  readonly openedMs: number;
}

/** Collects what ranks tell of one round, until all who are there have told it or it has waited long enough. */
export class StepBook<T> {
  readonly #open = new Map<string, Open<T>>();
  readonly #closed = new Set<string>();
  /** Copies that came after their round was closed, or a second time. */
  late = 0;
  /** Rounds that were closed to make room. */
  crowded = 0;

  /** @returns rounds that had to be closed to make room */
  add(key: string, rank: number, copy: T, nowMs: number): Round<T>[] {
    const open = this.#open.get(key);
    if (this.#closed.has(key) || open?.copies.has(rank) === true) {
      this.late += 1;
      return [];
    }
    if (open !== undefined) {
      open.copies.set(rank, copy);
      return [];
    }
    this.#open.set(key, { copies: new Map([[rank, copy]]), openedMs: nowMs });
    const [oldest] = this.#open.keys();
    if (this.#open.size <= MAX_OPEN || oldest === undefined) return [];
    this.crowded += 1;
    return this.#close(oldest);
  }

  /** Closes what is complete or has waited long enough, oldest first. */
  due(nowMs: number, isComplete: (copies: ReadonlyMap<number, T>) => boolean): Round<T>[] {
    const due = [...this.#open].filter(
      ([, { copies, openedMs }]) => nowMs - openedMs >= GRACE_MS || isComplete(copies),
    );
    return due.flatMap(([key]) => this.#close(key));
  }

  /** When the oldest round has waited long enough; null = there is none. */
  get dueMs(): number | null {
    const [oldest] = this.#open.values();
    return oldest === undefined ? null : oldest.openedMs + GRACE_MS;
  }

  #close(key: string): Round<T>[] {
    const open = this.#open.get(key);
    if (open === undefined) return [];
    this.#open.delete(key);
    this.#closed.add(key);
    const [forgotten] = this.#closed;
    if (this.#closed.size > MAX_CLOSED && forgotten !== undefined) this.#closed.delete(forgotten);
    return [{ key, copies: open.copies }];
  }
}

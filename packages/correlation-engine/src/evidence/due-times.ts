interface Entry {
  readonly id: string;
  readonly us: number;
  /** Which of equal times was asked for first. */
  readonly order: number;
}

/** When each of many next needs a look: a binary heap that knows where everyone's entry is, so that a time may change or go. */
export class DueTimes {
  readonly #heap: Entry[] = [];
  readonly #places = new Map<string, number>();
  #asked = 0;

  /** Infinite where nobody waits. O(1). */
  get earliestUs(): number {
    return this.#heap[0]?.us ?? Number.POSITIVE_INFINITY;
  }

  /** null = nothing is due. O(log n). */
  set(id: string, us: number | null): void {
    const place = this.#places.get(id);
    if (place !== undefined) {
      if (this.#heap[place]?.us === us) return;
      this.#remove(place);
    }
    if (us === null) return;
    this.#asked += 1;
    this.#heap.push({ id, us, order: this.#asked });
    this.#raise(this.#heap.length - 1);
  }

  /** Those who are due by a time, in the order of their times. O(k log k) for k of them. */
  until(us: number): string[] {
    const due: Entry[] = [];
    const places = [0];
    for (let place = places.pop(); place !== undefined; place = places.pop()) {
      const entry = this.#heap[place];
      // What lies below an entry is not due before it.
      if (entry === undefined || entry.us > us) continue;
      due.push(entry);
      places.push(2 * place + 1, 2 * place + 2);
    }
    return due.sort((a, b) => (isBefore(a, b) ? -1 : 1)).map(({ id }) => id);
  }

  #remove(place: number): void {
    const [removed, last] = [this.#heap[place], this.#heap.pop()];
    if (removed === undefined || last === undefined) return;
    this.#places.delete(removed.id);
    if (removed === last) return;
    this.#put(place, last);
    this.#raise(place);
    this.#lower(this.#places.get(last.id) ?? place);
  }

  #raise(from: number): void {
    let place = from;
    const entry = this.#heap[place] as Entry;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#heap[parent] as Entry;
      if (!isBefore(entry, above)) break;
      this.#put(place, above);
      place = parent;
    }
    this.#put(place, entry);
  }

  #lower(from: number): void {
    let place = from;
    const entry = this.#heap[place] as Entry;
    for (;;) {
      const child = this.#earlierChild(place);
      if (child === undefined || isBefore(entry, this.#heap[child] as Entry)) break;
      this.#put(place, this.#heap[child] as Entry);
      place = child;
    }
    this.#put(place, entry);
  }

  #earlierChild(place: number): number | undefined {
    const [left, right] = [this.#heap[2 * place + 1], this.#heap[2 * place + 2]];
    if (left === undefined) return undefined;
    return right !== undefined && isBefore(right, left) ? 2 * place + 2 : 2 * place + 1;
  }

  #put(place: number, entry: Entry): void {
    this.#heap[place] = entry;
    this.#places.set(entry.id, place);
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.us < b.us || (a.us === b.us && a.order < b.order);
}

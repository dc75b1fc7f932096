interface Entry<T> {
  readonly timeUs: number;
  readonly order: number;
  readonly value: T;
}

/** What happens later, by time, and in the order of asking among equals: a binary heap. */
export class EventQueue<T> {
  readonly #heap: Entry<T>[] = [];
  #asked = 0;

  get nextUs(): number {
    return this.#heap[0]?.timeUs ?? Number.POSITIVE_INFINITY;
  }

  /** The earliest; undefined = nothing is left. */
  get next(): T | undefined {
    return this.#heap[0]?.value;
  }

  at(timeUs: number, value: T): void {
    this.#asked += 1;
    const heap = this.#heap;
    const entry = { timeUs, order: this.#asked, value };
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry<T>;
      if (!isBefore(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  /** Takes it out. */
  take(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first?.value;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry<T>, heap[child] as Entry<T>)) child += 1;
      if (!isBefore(heap[child] as Entry<T>, last)) break;
      heap[at] = heap[child] as Entry<T>;
      at = child;
    }
    heap[at] = last;
    return first.value;
  }
}

function isBefore(a: Entry<unknown>, b: Entry<unknown>): boolean {
  return a.timeUs < b.timeUs || (a.timeUs === b.timeUs && a.order < b.order);
}

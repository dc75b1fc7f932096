interface Entry {
  readonly timeUs: number;
  readonly order: number;
  readonly run: () => void;
}

/** What happens later, by time, and in the order of asking among equals: a binary heap. */
export class EventQueue {
  readonly #heap: Entry[] = [];
  #asked = 0;

  get nextUs(): number {
    return this.#heap[0]?.timeUs ?? Number.POSITIVE_INFINITY;
  }

  at(timeUs: number, run: () => void): void {
    this.#asked += 1;
    const heap = this.#heap;
    const entry = { timeUs, order: this.#asked, run };
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!isBefore(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  /** The earliest; undefined = nothing is left. */
  take(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
      if (!isBefore(heap[child] as Entry, last)) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.timeUs < b.timeUs || (a.timeUs === b.timeUs && a.order < b.order);
}

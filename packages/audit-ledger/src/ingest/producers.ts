/** High-water marks: how far each producer's numbered events are in the log. Kept in the head, so exact after a crash. */

/** More producers than a fleet has relays; the one unheard of for longest is forgotten first. */
export const MAX_PRODUCERS = 1024;

export interface ProducerMark {
  readonly producer: string;
  readonly epoch: number;
  readonly sequence: number;
}

/** Ordered from the longest unheard to the last heard. A commit raises a copy, so that one that fails leaves the marks as they were. */
export class ProducerMarks {
  readonly #marks: Map<string, ProducerMark>;

  constructor(marks: Iterable<ProducerMark> = []) {
    this.#marks = new Map(Array.from(marks, (mark) => [mark.producer, mark]));
  }

  /** Numbers of a producer up to this one are committed already: every number of an earlier epoch, none of an unknown producer. */
  upTo(producer: string, epoch: number): number {
    const mark = this.#marks.get(producer);
    if (mark === undefined || epoch > mark.epoch) return -1;
    return epoch < mark.epoch ? Number.POSITIVE_INFINITY : mark.sequence;
  }

  copy(): ProducerMarks {
    return new ProducerMarks(this.#marks.values());
  }

  /** Never lowers a mark. */
  raise(mark: ProducerMark): void {
    const known = this.#marks.get(mark.producer);
    this.#marks.delete(mark.producer);
    this.#marks.set(mark.producer, higher(known, mark));
    const oldest = this.#marks.keys().next();
    if (this.#marks.size > MAX_PRODUCERS && oldest.done !== true) this.#marks.delete(oldest.value);
  }

  list(): ProducerMark[] {
    return [...this.#marks.values()];
  }
}

function higher(known: ProducerMark | undefined, mark: ProducerMark): ProducerMark {
  if (known === undefined || mark.epoch > known.epoch) return mark;
  return mark.epoch === known.epoch && mark.sequence > known.sequence ? mark : known;
}

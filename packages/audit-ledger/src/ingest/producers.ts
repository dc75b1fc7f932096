/** High-water marks: how far each producer's numbered events are in the log. Kept in the head, so exact after a crash. */

/** More producers than a fleet has relays; the one unheard of for longest is forgotten first. */
export const MAX_PRODUCERS = 1024;

export interface ProducerMark {
  readonly producer: string;
  readonly epoch: number;
  readonly sequence: number;
}

/** Immutable: a commit that fails leaves the marks as they were. Ordered from the longest unheard to the last heard. */
export class ProducerMarks {
  readonly #marks: ReadonlyMap<string, ProducerMark>;

  constructor(marks: Iterable<ProducerMark> = []) {
    this.#marks = new Map(Array.from(marks, (mark) => [mark.producer, mark]));
  }

  /** Whether this number was committed already: at or below the mark, or of an earlier epoch. */
  covers({ producer, epoch, sequence }: ProducerMark): boolean {
    const mark = this.#marks.get(producer);
    if (mark === undefined) return false;
    return epoch < mark.epoch || (epoch === mark.epoch && sequence <= mark.sequence);
  }

  /** Raises the marks; never lowers one. */
  raised(marks: readonly ProducerMark[]): ProducerMarks {
    const next = new Map(this.#marks);
    for (const mark of marks) {
      const known = next.get(mark.producer);
      next.delete(mark.producer);
      next.set(mark.producer, higher(known, mark));
    }
    return new ProducerMarks([...next.values()].slice(-MAX_PRODUCERS));
  }

  list(): ProducerMark[] {
    return [...this.#marks.values()];
  }
}

function higher(known: ProducerMark | undefined, mark: ProducerMark): ProducerMark {
  if (known === undefined || mark.epoch > known.epoch) return mark;
  return mark.epoch === known.epoch && mark.sequence > known.sequence ? mark : known;
}

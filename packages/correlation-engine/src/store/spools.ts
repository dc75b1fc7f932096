/** How far one spool of one node is. Lives as long as the engine; moves only forward. */
export interface SpoolMark {
  readonly node: string;
  /** 32 lower-case hex digits. */
  readonly spoolId: string;
  /** Every record up to here is committed. */
  committed: number;
  /** History of every record up to here is durable, and the database knows: what its agent is told. */
  archived: number;
}

/** Marks of all spools that were ever seen: one per agent, and one more for each reinstallation. */
export class Spools {
  readonly #marks = new Map<string, SpoolMark>();

  get(node: string, spoolId: string): SpoolMark | undefined {
    return this.#marks.get(`${spoolId}${node}`);
  }

  open(node: string, spoolId: string): SpoolMark {
    const known = this.get(node, spoolId);
    if (known !== undefined) return known;
    const mark = { node, spoolId, committed: 0, archived: 0 };
    this.#marks.set(`${spoolId}${node}`, mark);
    return mark;
  }

  all(): Iterable<SpoolMark> {
    return this.#marks.values();
  }
}

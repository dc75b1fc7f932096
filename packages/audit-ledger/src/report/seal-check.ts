/** Holds what seals state against what is there; where leaves were pruned, the difference is what was pruned. */
import type { TypeName } from './model.js';
import type { Detail } from './values.js';

/** Seals cited: the newest. */
const MAX_CITED = 25;

export class SealCheck {
  readonly #first: number;
  /** Types of the entries from `#from` on; undefined = pruned. */
  #types: (TypeName | undefined)[] = [];
  #from: number;
  #lastSealed: number | undefined;
  readonly #pruned = new Map<TypeName, number>();
  readonly #cited: number[] = [];
  readonly #summary = { inside: 0, agree: 0, first: null as number | null, last: null as number | null, broken: 0 };

  constructor(first: number) {
    this.#first = first;
    this.#from = first;
  }

  /** The next entry of the range. */
  add(type: TypeName | undefined): void {
    this.#types.push(type);
  }

  seal(seq: number, { first, last, counts }: Detail): void {
    if (typeof first !== 'number' || typeof last !== 'number' || typeof counts !== 'object' || counts === null) return;
    this.#cited.push(seq);
    if (this.#cited.length > MAX_CITED) this.#cited.shift();
    if (this.#lastSealed !== undefined && first !== this.#lastSealed + 1) this.#summary.broken += 1;
    this.#lastSealed = last;
    if (first >= this.#first) this.#compare(first, last, counts as Record<string, number>);
    const done = Math.min(Math.max(last + 1 - this.#from, 0), this.#types.length);
    this.#types = this.#types.slice(done);
    this.#from += done;
  }

  finish() {
    return { summary: { ...this.#summary }, pruned: this.#pruned, cited: [...this.#cited] };
  }

  #compare(first: number, last: number, counts: Readonly<Record<string, number>>): void {
    const there = this.#types.slice(Math.max(first - this.#from, 0), Math.max(last + 1 - this.#from, 0));
    const found = new Map<string, number>();
    for (const type of there) if (type !== undefined) found.set(type, (found.get(type) ?? 0) + 1);
    const gone = there.length - [...found.values()].reduce((sum, n) => sum + n, 0);
    const missing = Object.entries(counts).map(([type, n]) => [type, n - (found.get(type) ?? 0)] as const);
    const known = [...found.keys()].every((type) => type in counts);
    const agrees = known && missing.every(([, n]) => n >= 0) && missing.reduce((sum, [, n]) => sum + n, 0) === gone;
    this.#summary.inside += 1;
    this.#summary.first ??= first;
    this.#summary.last = last;
    if (!agrees) return;
    this.#summary.agree += 1;
    for (const [type, n] of missing)
      if (n > 0) this.#pruned.set(type as TypeName, (this.#pruned.get(type as TypeName) ?? 0) + n);
  }
}

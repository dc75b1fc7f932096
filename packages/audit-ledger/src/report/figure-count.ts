import type { Figure, FigureDefinition, Selector, TypeName, Where } from './model.js';
import { type Detail, text } from './values.js';

/** Entries that a figure cites: the newest. */
const MAX_CITED = 25;

/** One figure while it is counted. */
export class FigureCount {
  readonly #definition: FigureDefinition;
  readonly #distinct = { real: new Set<string>(), injected: new Set<string>() };
  readonly #sum = { real: 0, injected: 0 };
  readonly #cited: number[] = [];
  #more = 0;

  constructor(definition: FigureDefinition) {
    this.#definition = definition;
  }

  /** @returns whether it counted the entry */
  take(seq: number, type: TypeName, injected: boolean, detail: Detail): boolean {
    const { of, count } = this.#definition;
    if (!of.some((selector) => fits(selector, type, detail))) return false;
    const side = injected ? 'injected' : 'real';
    if (count === 'entries') this.#sum[side] += 1;
    else if ('sum' in count) this.#sum[side] += numberOf(detail[count.sum]);
    else this.#distinct[side].add(text(detail[count.distinct]));
    this.#cited.push(seq);
    if (this.#cited.length > MAX_CITED) {
      this.#cited.shift();
      this.#more += 1;
    }
    return true;
  }

  figure(): Figure {
    const counts = 'distinct' in Object(this.#definition.count);
    const { real, injected } = counts
      ? { real: this.#distinct.real.size, injected: this.#distinct.injected.size }
      : this.#sum;
    return { ...this.#definition, value: real, injected, cited: [...this.#cited], more: this.#more };
  }
}

/** Anything but a number adds nothing. */
function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function fits({ type, event, where = [] }: Selector, entryType: TypeName, detail: Detail): boolean {
  return type === entryType && event === detail['event'] && where.every((each) => holds(each, detail));
}

function holds({ field, is, not, not_field: other }: Where, detail: Detail): boolean {
  const value = text(detail[field]);
  if (is !== undefined && value !== text(is)) return false;
  if (not !== undefined && value === text(not)) return false;
  return other === undefined || value !== text(detail[other]);
}

/** Sources give their items in order of seq; whoever walks a log asks for them in that order. */
import type { ClaimedPruned, LogSource, Opening } from './source.js';

export class InOrder<T extends { readonly seq: number }> {
  readonly #items: AsyncIterator<T> | undefined;
  #next: T | undefined;
  #started = false;

  constructor(items: AsyncIterator<T> | undefined) {
    this.#items = items;
  }

  async at(seq: number): Promise<T | undefined> {
    while (!this.#started || (this.#next !== undefined && this.#next.seq < seq)) await this.#advance();
    return this.#next?.seq === seq ? this.#next : undefined;
  }

  async close(): Promise<void> {
    await this.#items?.return?.();
  }

  async #advance(): Promise<void> {
    this.#started = true;
    const step = await this.#items?.next();
    this.#next = step === undefined || step.done === true ? undefined : step.value;
  }
}

/** Salts and details of entries [from, to): behind what was pruned the source reads on in another place. */
export function openingParts(
  source: LogSource,
  { details }: Pick<ClaimedPruned, 'details'>,
  from: number,
  to: number,
): { readonly to: number; readonly openings: InOrder<Opening> }[] {
  const middle = Math.min(Math.max(details, from), to);
  const parts = [
    { from, to: middle },
    { from: middle, to },
  ].filter((part) => part.from < part.to);
  return parts.flatMap((part) => {
    const openings = source.openings?.(part.from, part.to)[Symbol.asyncIterator]();
    return openings === undefined ? [] : [{ to: part.to, openings: new InOrder(openings) }];
  });
}

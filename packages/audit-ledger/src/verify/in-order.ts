/** Sources give their items in order of seq; whoever walks a log asks for them in that order. */
import type { ClaimedPruned, LogSource, Opening } from './source.js';

export class InOrder<T extends { readonly seq: number }> {
  readonly #parts: AsyncIterator<readonly T[]> | undefined;
  #part: readonly T[] = [];
  #at = 0;
  #ended: boolean;

  constructor(parts: AsyncIterable<readonly T[]> | undefined) {
    this.#parts = parts?.[Symbol.asyncIterator]();
    this.#ended = this.#parts === undefined;
  }

  async at(seq: number): Promise<T | undefined> {
    if (!this.reaches(seq)) await this.reach(seq);
    return this.current(seq);
  }

  /** Whether `current` knows of `seq` already: to wait for each of millions costs more than to look at it. */
  reaches(seq: number): boolean {
    while ((this.#part[this.#at]?.seq ?? seq) < seq) this.#at += 1;
    return this.#ended || this.#at < this.#part.length;
  }

  async reach(seq: number): Promise<void> {
    while (!this.reaches(seq)) {
      const step = await this.#parts?.next();
      this.#ended = step === undefined || step.done === true;
      this.#part = step === undefined || step.done === true ? [] : step.value;
      this.#at = 0;
    }
  }

  current(seq: number): T | undefined {
    const item = this.#part[this.#at];
    return item?.seq === seq ? item : undefined;
  }

  async close(): Promise<void> {
    await this.#parts?.return?.();
  }
}

/** Items that come singly. */
export async function* singly<T>(items: AsyncIterable<T> | undefined): AsyncGenerator<readonly T[]> {
  for await (const item of items ?? []) yield [item];
}

export interface OpeningPart {
  readonly to: number;
  readonly openings: InOrder<Opening>;
}

/** Salts and details of entries [from, to): behind what was pruned the source reads on in another place. */
export function openingParts(
  source: LogSource,
  { details }: Pick<ClaimedPruned, 'details'>,
  from: number,
  to: number,
): readonly OpeningPart[] {
  const middle = Math.min(Math.max(details, from), to);
  const parts = [
    { from, to: middle },
    { from: middle, to },
  ].filter((part) => part.from < part.to);
  return parts.flatMap((part) => {
    const openings = source.openings?.(part.from, part.to);
    return openings === undefined ? [] : [{ to: part.to, openings: new InOrder(openings) }];
  });
}

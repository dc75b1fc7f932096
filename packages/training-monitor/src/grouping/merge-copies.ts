import type { Answer } from '../analysers/finding.js';
import type { Replay } from '../analysers/replay-watch.js';

/**
 * Ranks exchange what is compared and each tells all of it, so that a rank whose memory or link is at fault may tell it wrong. What a
 * rank says of itself counts; of others, what most say.
 * @param copies by the rank that told it; each by rank
 * @param size ranks of the job
 */
export function mergeChecksums(copies: ReadonlyMap<number, readonly string[]>, size: number): string[] {
  return Array.from({ length: size }, (_, rank) => {
    const own = copies.get(rank)?.[rank] ?? '';
    return own === '' ? most([...copies.values()].map((copy) => copy[rank] ?? '')) : own;
  });
}

/** Copies that say something else than what was made of all. */
export function disagreeing(copies: ReadonlyMap<number, readonly string[]>, merged: readonly string[]): number {
  return [...copies.values()].filter((copy) => copy.some((checksum, rank) => checksum !== merged[rank])).length;
}

/** The same of the answers to one micro-batch. */
export function mergeReplays(copies: ReadonlyMap<number, Replay>): Replay | null {
  const [first] = copies.values();
  if (first === undefined) return null;
  const keys = new Map<string, Answer>();
  for (const { answers } of copies.values()) for (const answer of answers) keys.set(keyOf(answer), answer);
  const answers = [...keys].map(([key, answer]) => {
    const own = digestIn(copies.get(answer.rank), key);
    return { ...answer, digest: own === '' ? most([...copies.values()].map((copy) => digestIn(copy, key))) : own };
  });
  const any = (of: (copy: Replay) => boolean) => [...copies.values()].some(of);
  const asked = any((copy) => copy.asked);
  return { rank: first.rank, asked, answers, originalMayDiffer: any((copy) => copy.originalMayDiffer) };
}

function keyOf({ rank, again }: Answer): string {
  return `${rank} ${again}`;
}

function digestIn(replay: Replay | undefined, key: string): string {
  return replay?.answers.find((answer) => keyOf(answer) === key)?.digest ?? '';
}

/** The value that most give; '' where none does or two are as frequent. */
function most(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== '') counts.set(value, (counts.get(value) ?? 0) + 1);
  const [first, second] = [...counts].sort(([, a], [, b]) => b - a);
  return first === undefined || first[1] === second?.[1] ? '' : first[0];
}

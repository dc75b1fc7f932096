import type { Answer } from './finding.js';

/** What the answers to one micro-batch say. */
export interface ReplayVote {
  /**
   * 'agree' = all are equal; 'transient' = the rank's own repeat differs from its original; 'persistent' = it repeats what others
   * do not get; 'other' = the rank agrees with others, and one that checked it does not; 'open' = two ranks differ and no third was asked;
   * 'none' = nothing to compare.
   */
  readonly kind: 'agree' | 'transient' | 'persistent' | 'other' | 'open' | 'none';
  /** Ranks with a wrong answer; of 'open' those of which one has. */
  readonly accused: readonly number[];
}

/** @param rank whose micro-batch it is */
export function voteReplay(rank: number, all: readonly Answer[]): ReplayVote {
  const answers = all.filter(({ digest }) => digest !== '');
  if (answers.length < 2) return { kind: 'none', accused: [] };
  if (new Set(answers.map(({ digest }) => digest)).size === 1) return { kind: 'agree', accused: [] };
  const right = majority(answers);
  const own = new Set(answers.filter((answer) => answer.rank === rank).map(({ digest }) => digest));
  if (right === null) {
    // A device that contradicts itself is wrong whatever the others say.
    const accused = contradicting(answers);
    const kind = own.size > 1 ? 'transient' : accused.length > 0 ? 'other' : 'open';
    return { kind, accused: accused.length > 0 ? accused : ranksOf(answers) };
  }
  const accused = ranksOf(answers.filter(({ digest }) => digest !== right));
  if (own.size > 1) return { kind: 'transient', accused };
  return { kind: accused.includes(rank) ? 'persistent' : 'other', accused };
}

/** The digest that most ranks have, at least two of them, and more than any other has; null = there is none. */
function majority(answers: readonly Answer[]): string | null {
  const ranks = new Map<string, Set<number>>();
  for (const { digest, rank } of answers) ranks.set(digest, (ranks.get(digest) ?? new Set()).add(rank));
  const [first, second] = [...ranks].sort(([, a], [, b]) => b.size - a.size);
  if (first === undefined || first[1].size < 2 || first[1].size === second?.[1].size) return null;
  return first[0];
}

/** Ranks that gave two answers. */
export function contradicting(answers: readonly Answer[]): number[] {
  return ranksOf(answers).filter(
    (rank) => new Set(answers.filter((answer) => answer.rank === rank).map(({ digest }) => digest)).size > 1,
  );
}

function ranksOf(answers: readonly Answer[]): number[] {
  return [...new Set(answers.map(({ rank }) => rank))];
}

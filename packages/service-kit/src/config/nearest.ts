/** The edit distance between two words: insertions, deletions, substitutions and swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const candidates = [at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + (same ? 0 : 1)];
      if (swapped) candidates.push(at(beforeLast, column - 2) + 1);
      current.push(Math.min(...candidates));
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}

const MAX_WORD = 200;

/** The candidate that somebody who wrote `word` most likely meant; undefined where none is close. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > MAX_WORD) return undefined;
  const limit = Math.max(2, Math.floor(word.length / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? completions(word, candidates)[0];
}

const MIN_PART = 4;

/** Candidates that `word` begins or ends: `dwell` for `dwell_seconds`. Shortest first. */
function completions(word: string, candidates: Iterable<string>): string[] {
  if (word.length < MIN_PART) return [];
  return [...candidates]
    .filter((candidate) => candidate.startsWith(`${word}_`) || candidate.endsWith(`_${word}`))
    .sort((a, b) => a.length - b.length);
}

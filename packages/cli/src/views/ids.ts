/** `GPU-` or `CPU-` and eight digits. */
const SHORTEST = 12;

/** What to show of each id: enough of it to be the only one of these that begins so, which the commands take in its place. */
export function shortIds(ids: readonly string[]): ReadonlyMap<string, string> {
  const sorted = [...new Set(ids)].sort();
  return new Map(
    sorted.map((id, i) => {
      const shared = Math.max(common(id, sorted[i - 1] ?? ''), common(id, sorted[i + 1] ?? ''));
      return [id, id.slice(0, Math.max(SHORTEST, shared + 1))];
    }),
  );
}

/** Length of the common beginning. */
function common(a: string, b: string): number {
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i += 1;
  return i;
}

/** Where two JSON values differ first: a path like `units[0].counted`, and both values there. */
export interface Difference {
  path: string;
  stored: string;
  replayed: string;
}

/** Of a value that is absent on one side. */
const ABSENT = '(absent)';

/** undefined = the same bytes as JSON, the order of members included. */
export function firstDifference(stored: unknown, replayed: unknown): Difference | undefined {
  if (text(stored) === text(replayed)) return undefined;
  return walk(stored, replayed, '') ?? { path: '(order of members)', stored: text(stored), replayed: text(replayed) };
}

function walk(stored: unknown, replayed: unknown, path: string): Difference | undefined {
  if (!isObject(stored) || !isObject(replayed) || Array.isArray(stored) !== Array.isArray(replayed)) {
    if (text(stored) === text(replayed)) return undefined;
    return { path: path === '' ? '(value)' : path, stored: text(stored), replayed: text(replayed) };
  }
  const inArray = Array.isArray(stored);
  for (const key of new Set([...Object.keys(stored), ...Object.keys(replayed)])) {
    const inside = inArray ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    const found = walk(stored[key], replayed[key], inside);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string {
  return JSON.stringify(value) ?? ABSENT;
}

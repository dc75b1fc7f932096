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
  return walk(stored, replayed, '') ?? orderOf(stored, replayed, '');
}

/** Of equal values: the first object whose members stand in another order, and their names. */
function orderOf(stored: unknown, replayed: unknown, path: string): Difference | undefined {
  if (!isObject(stored) || !isObject(replayed)) return undefined;
  const [before, now] = [Object.keys(stored).join(' '), Object.keys(replayed).join(' ')];
  if (before !== now)
    return { path: `${path === '' ? '' : `${path} `}(order of members)`, stored: before, replayed: now };
  for (const key of Object.keys(stored)) {
    const found = orderOf(stored[key], replayed[key], within(stored, path, key));
    if (found !== undefined) return found;
  }
  return undefined;
}

function within(parent: object, path: string, key: string): string {
  if (Array.isArray(parent)) return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

function walk(stored: unknown, replayed: unknown, path: string): Difference | undefined {
  if (!isObject(stored) || !isObject(replayed) || Array.isArray(stored) !== Array.isArray(replayed)) {
    if (text(stored) === text(replayed)) return undefined;
    return { path: path === '' ? '(value)' : path, stored: text(stored), replayed: text(replayed) };
  }
  for (const key of new Set([...Object.keys(stored), ...Object.keys(replayed)])) {
    const found = walk(stored[key], replayed[key], within(stored, path, key));
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

/** The same value with all members in the order of their names. */
export function inNameOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inNameOrder);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, inNameOrder(member)]));
}

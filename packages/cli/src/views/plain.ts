/**
 * What a terminal would take for an order is shown as its code, as `\x1b`; line breaks and tabs as blanks. Services refuse such texts; what
 * an older release stored, or another service says, may have them.
 */
export function plain(text: string): string {
  return text.replaceAll(/\s*[\t\n\r]\s*/g, ' ').replaceAll(/\p{Cc}/gu, code);
}

/** The same for sentences of several lines. */
export function plainLines(text: string): string {
  return text.split('\n').map(plain).join('\n');
}

/** A message with all its texts so; bytes, times and numbers stay. */
export function plainly<T>(message: T): T {
  return mapped(message) as T;
}

function mapped(value: unknown): unknown {
  if (typeof value === 'string') return plain(value);
  if (Array.isArray(value)) return value.map(mapped);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [plain(key), mapped(member)]));
}

function code(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

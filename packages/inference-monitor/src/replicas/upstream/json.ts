/** Reading of what a server answers, which may be anything. */
type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Numbers of a list; null, as for a first token, is left out. */
export function numbersOf(value: unknown): number[] {
  return listOf(value).filter((each): each is number => typeof each === 'number');
}

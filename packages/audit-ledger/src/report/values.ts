/** What reports read out of entries. */

/** A detail, parsed. */
export type Detail = { readonly [key: string]: unknown };

/** A member as text: '' where it is absent. */
export function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

export function isoOf(us: number): string {
  return new Date(Math.floor(us / 1000)).toISOString();
}

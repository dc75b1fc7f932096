import { usageError } from './failure.js';

/** A whole number from `min` to `max`. @throws SentinelError INVALID_ARGUMENT, as all here */
export function wholeNumber(flag: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw usageError(flag, `${flag} takes a whole number from ${min} to ${max}, not ${text}`);
  };
}

/** A number from `min` to `max`, as 60, 0.01 or 1e-3. */
export function realNumber(flag: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?(e[+-]?\d{1,3})?$/i.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw usageError(flag, `${flag} takes a number from ${min} to ${max}, as 0.01 or 1e-3, not ${text}`);
  };
}

const UNIT_SECONDS: Readonly<Record<string, bigint>> = { s: 1n, m: 60n, h: 3_600n, d: 86_400n };

/** A moment in microseconds: `90m` = that long ago (s, m, h, d), or a date with or without a time (UTC unless it says otherwise). */
export function moment(flag: string, text: string, nowUs: bigint): bigint {
  const [, amount, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return nowUs - BigInt(amount) * (UNIT_SECONDS[unit] ?? 1n) * 1_000_000n;
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(withZone(text.replace(' ', 'T'))) : Number.NaN;
  if (Number.isFinite(ms) && ms >= 0) return BigInt(ms) * 1000n;
  throw usageError(flag, `${flag} takes an age as 90m or 2d, or a time as 2026-03-01T12:00Z, not ${text}`);
}

/** How long, in milliseconds: `1h`, `90m`, `2d`. */
export function duration(flag: string, text: string): number {
  const [, amount, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined && Number(amount) > 0) return Number(amount) * Number(UNIT_SECONDS[unit] ?? 1n) * 1000;
  throw usageError(flag, `${flag} takes a time as 90m, 1h or 2d, not ${text}`);
}

function withZone(text: string): string {
  return /T/.test(text) && !/(Z|[+-]\d\d:?\d\d)$/.test(text) ? `${text}Z` : text;
}

/** Number of a named choice. */
export function choice(flag: string, values: Readonly<Record<string, number>>, text: string): number {
  const names = Object.keys(values).filter((name) => name !== 'UNSPECIFIED' && name !== 'UNRECOGNIZED');
  const value = values[text.toUpperCase().replaceAll('-', '_')];
  if (value !== undefined && value > 0) return value;
  throw usageError(
    flag,
    `${flag} takes one of ${names.map((name) => name.toLowerCase().replaceAll('_', '-')).join(', ')}, not ${text}`,
  );
}

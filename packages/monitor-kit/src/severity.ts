export type Severity = 'INFO' | 'WARNING' | 'HIGH' | 'CRITICAL';

/** Limits from which on a finding is graver than INFO. */
export interface Severities {
  readonly warning: number;
  readonly high: number;
  readonly critical: number;
}

export function severityOf(size: number, { warning, high, critical }: Severities): Severity {
  if (size >= critical) return 'CRITICAL';
  if (size >= high) return 'HIGH';
  return size >= warning ? 'WARNING' : 'INFO';
}

/** A number in a sentence. */
export function shown(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : String(value);
}

/** A time as a person says it: 45 s, 11 min, 2.3 h, 4.6 d; "never" for null. */
export function spoken(hours: number | null): string {
  if (hours === null) return 'never';
  if (hours < 1 / 60) return `${Math.round(hours * 3600)} s`;
  if (hours < 1) return `${trim(hours * 60)} min`;
  return hours < 72 ? `${trim(hours)} h` : `${trim(hours / 24)} d`;
}

function trim(value: number): string {
  return value < 10 ? String(Math.round(value * 10) / 10) : String(Math.round(value));
}

/** Bounds of proto/sentinel/v1/anomaly.proto. */
export const MAX_GPUS = 64;
export const MAX_ANSWERS = 1_024;
const MAX_DETAIL_BYTES = 500;

/** Records of a job are judged within seconds. */
const MAX_AGE_US = 600_000_000n;

/** A job may have a clock of its own: what it cannot have said is said now. Microseconds since the Unix epoch. */
export function eventTime(timeUs: number, nowUs: bigint): bigint {
  const time = BigInt(timeUs);
  return time > nowUs || nowUs - time > MAX_AGE_US ? nowUs : time;
}

/** A sentence of at most 500 bytes, cut between characters. */
export function shortened(detail: string): string {
  if (Buffer.byteLength(detail) <= MAX_DETAIL_BYTES) return detail;
  let bytes = Buffer.byteLength('…');
  let kept = '';
  for (const character of detail) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_DETAIL_BYTES) break;
    kept += character;
  }
  return `${kept}…`;
}

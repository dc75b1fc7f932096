import type { DirectiveCursor } from '@sentinel/contracts/sentinel/v1/quarantine.js';

/** A place in the log of directives: after this row. */
export interface Cursor {
  readonly commitSeq: number;
  readonly ordinal: number;
}

export const BEGINNING: Cursor = { commitSeq: 0, ordinal: 0 };
const MAX_ORDINAL = 0xffff_ffff;

/** After whatever this record did. */
export function endOf(commitSeq: number): Cursor {
  return { commitSeq, ordinal: MAX_ORDINAL };
}

export function isBefore(a: Cursor, b: Cursor): boolean {
  return a.commitSeq < b.commitSeq || (a.commitSeq === b.commitSeq && a.ordinal < b.ordinal);
}

export function toMessage({ commitSeq, ordinal }: Cursor): DirectiveCursor {
  return { commitSeq: BigInt(commitSeq), ordinal };
}

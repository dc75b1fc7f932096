/** A place in what operators are told: after this record of the log, committed at that time. */
export interface LiveCursor {
  readonly commitSeq: number;
  readonly nowUs: number;
}

/** As the id of an event. */
export function cursorText({ commitSeq, nowUs }: LiveCursor): string {
  return `${commitSeq}-${nowUs}`;
}

/** null = no engine gave such an id. */
export function parseCursor(text: string): LiveCursor | null {
  const [, commitSeq, nowUs] = /^(\d{1,16})-(\d{1,16})$/.exec(text) ?? [];
  const cursor = { commitSeq: Number(commitSeq), nowUs: Number(nowUs) };
  return Number.isSafeInteger(cursor.commitSeq) && Number.isSafeInteger(cursor.nowUs) ? cursor : null;
}

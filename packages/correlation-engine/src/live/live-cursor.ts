/** A place in what readers are told, as the id of an event: after this record of that fleet's log. */
export function cursorText(fleet: string, commitSeq: number): string {
  return `${fleet}-${commitSeq}`;
}

/** null = no engine of that fleet gave such an id. */
export function parseCursor(fleet: string, text: string): number | null {
  const [, of, commitSeq] = /^([0-9a-z]+)-(\d{1,16})$/.exec(text) ?? [];
  return of === fleet && Number.isSafeInteger(Number(commitSeq)) ? Number(commitSeq) : null;
}

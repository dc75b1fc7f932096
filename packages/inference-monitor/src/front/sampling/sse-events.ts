/** A longer event is passed on as it is, and all after it. */
const MAX_EVENT_BYTES = 4 * 1024 * 1024;

const LF = 10;
const CR = 13;
const NOTHING: Buffer = Buffer.alloc(0);

/** Cuts a body of server-sent events into events, each with the empty line behind it. */
export class SseEvents {
  #rest: Buffer = NOTHING;
  #given = false;

  /** Whole events, in order. */
  push(bytes: Buffer): Buffer[] {
    if (this.#given) return [bytes];
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const events: Buffer[] = [];
    let at = 0;
    for (let end = eventEnd(all, at); end > 0; end = eventEnd(all, at)) {
      events.push(all.subarray(at, end));
      at = end;
    }
    this.#rest = all.subarray(at);
    if (this.#rest.length <= MAX_EVENT_BYTES) return events;
    this.#given = true;
    return [...events, this.end()];
  }

  /** What came of an event that is not whole. */
  end(): Buffer {
    const rest = this.#rest;
    this.#rest = NOTHING;
    return rest;
  }
}

/** @returns 0 where the event is not whole */
function eventEnd(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return 0;
}

/** Where the JSON text of an event with one line of data lies; null = it has another form. */
export function dataOf(event: Buffer): { readonly start: number; readonly end: number } | null {
  const text = event.toString('latin1');
  const match = /^(?:data: ?)(\{[^\r\n]*\})(?:\r?\n){2}$/.exec(text);
  if (match?.[1] === undefined) return null;
  const start = text.indexOf('{');
  return { start, end: start + match[1].length };
}

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
  const first = bytes.indexOf(LF, from);
  for (let at = first; at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  // Lines may end with CR alone.
  const end = first < 0 ? bytes.indexOf('\r\r', from, 'latin1') : -1;
  return end < 0 ? 0 : end + 2;
}

/** The JSON text of an event. */
export interface EventData {
  readonly text: Buffer;
  /** The event with another text; nothing else of it changes. */
  having(text: Buffer): Buffer;
}

interface Line {
  readonly text: string;
  readonly end: string;
}

/** As of the HTML standard, §9.2.6: lines of data make one text, beside others; before the first event there may be a byte order mark. */
const DATA = /^(?:\u00ef\u00bb\u00bf)?data: ?/;

/** Null where there is no text, or none that may be a JSON object. */
export function dataOf(event: Buffer): EventData | null {
  const lines = linesOf(event.toString('latin1'));
  const first = lines.findIndex(({ text }) => DATA.test(text));
  const data = lines.filter(({ text }) => DATA.test(text));
  const joined = data.map(({ text }) => text.replace(DATA, '')).join('\n');
  if (!joined.trimStart().startsWith('{')) return null;
  return {
    text: Buffer.from(joined, 'latin1'),
    having: (text) => {
      const told = text.toString('latin1').split('\n');
      const written = told.map((line, k) => {
        const { text: before, end } = data[k] ?? (data[0] as Line);
        return `${DATA.exec(before)?.[0] ?? ''}${line}${end}`;
      });
      const rest = lines.slice(first).filter((line) => !data.includes(line));
      const all = [...lines.slice(0, first).map(whole), ...written, ...rest.map(whole)];
      return Buffer.from(all.join(''), 'latin1');
    },
  };
}

function linesOf(text: string): Line[] {
  return Array.from(text.matchAll(/([^\r\n]*)(\r\n|\n|\r|$)/g), ([, line = '', end = '']) => ({ text: line, end }));
}

function whole({ text, end }: Line): string {
  return text + end;
}

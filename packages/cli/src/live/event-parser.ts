/** One event of a stream of server-sent events. */
export interface ServerEvent {
  /** Place to come back to; '' = the event does not move it. */
  readonly id: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Characters of one event: an honest one has a few hundred. */
const MAX_EVENT_CHARACTERS = 1024 * 1024;

/** Reads the text of a stream of server-sent events, as its parts come (WHATWG HTML, section 9.2). */
export class EventParser {
  #rest = '';

  /**
   * The events that are complete now. Comments and fields that are not known are left out.
   * @throws Error for one that never ends
   */
  push(text: string): ServerEvent[] {
    const messages = (this.#rest + text.replaceAll('\r\n', '\n')).split('\n\n');
    this.#rest = messages.pop() ?? '';
    if (this.#rest.length > MAX_EVENT_CHARACTERS) throw new Error('an event never ends');
    return messages.map(eventOf).filter((event) => event !== null);
  }
}

function eventOf(message: string): ServerEvent | null {
  const fields = new Map<string, string>();
  for (const line of message.split('\n')) {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name !== '') fields.set(name, name === 'data' && fields.has(name) ? `${fields.get(name)}\n${value}` : value);
  }
  const id = fields.get('id') ?? '';
  const event = fields.get('event') ?? 'message';
  const data = objectOf(fields.get('data') ?? '{}');
  return id === '' && !fields.has('data') ? null : { id, event, data };
}

/** {} where it is no object: what it was about cannot be said, and its place counts all the same. */
function objectOf(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

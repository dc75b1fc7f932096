import { eventually } from '@sentinel/test-kit';

export interface SeenEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Reads a stream of server-sent events as a browser does. */
export class EventReader implements AsyncDisposable {
  readonly seen: SeenEvent[] = [];
  /** Comments, which browsers ignore. */
  comments = 0;
  /** What a browser would send when it comes back. */
  lastEventId: string;
  /** null = it goes on. */
  ended: unknown = null;
  readonly #over = new AbortController();

  private constructor(lastEventId: string) {
    this.lastEventId = lastEventId;
  }

  /** @throws Error with the answer where it is not a stream */
  static async open(address: string, lastEventId = ''): Promise<EventReader> {
    const reader = new EventReader(lastEventId);
    const headers = lastEventId === '' ? {} : { 'last-event-id': lastEventId };
    const answer = await fetch(`http://${address}/api/v1/events`, { headers, signal: reader.#over.signal });
    if (answer.status !== 200 || answer.body === null) throw new Error(`${answer.status} ${await answer.text()}`);
    void reader.#read(answer.body).then(
      () => (reader.ended ??= 'closed'),
      (error: unknown) => (reader.ended ??= error),
    );
    return reader;
  }

  /** Names and data that matter, one line each. */
  get lines(): string[] {
    return this.seen.map(({ event, data }) => {
      const { gpu, node, from, to, change, action } = data;
      const words = [event, change, action, gpu === '' ? node : gpu, from, to];
      return words.filter((word) => word !== undefined).join(' ');
    });
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    await eventually(condition, { what }).catch((error: Error) => {
      throw new Error(`${error.message}; seen: ${JSON.stringify(this.lines)}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      const messages = text.split('\n\n');
      text = messages.pop() ?? '';
      for (const message of messages) this.#take(message);
    }
  }

  #take(message: string): void {
    const fields = new Map(message.split('\n').map((line) => line.split(/: ?(.*)/s).slice(0, 2) as [string, string]));
    if (fields.has('')) this.comments += 1;
    const id = fields.get('id') ?? '';
    if (id !== '') this.lastEventId = id;
    const data = fields.get('data');
    if (data === undefined) return;
    const event = fields.get('event') ?? 'message';
    this.seen.push({ id, event, data: JSON.parse(data) as Record<string, unknown> });
  }
}

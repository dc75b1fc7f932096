import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An engine's GET /api/v1/events, in the hands of a test. */
export class FakeEvents implements AsyncDisposable {
  /** Last-Event-ID of each reader that came; '' = it had none. */
  readonly cursors: string[] = [];
  /** What each reader is sent when it comes. */
  greeting: (lastEventId: string) => string = (id) => (id === '' ? event('start', { commit_seq: 1 }, 'f-1') : ': \n\n');
  /** Refused with it, while it is none of 200. */
  status = 200;
  address = '';
  readonly #open = new Set<ServerResponse>();
  readonly #server = createServer((request, response) => {
    if (this.status !== 200) {
      response
        .writeHead(this.status)
        .end(JSON.stringify({ error: { message: 'too many read already', hint: 'Ask another.' } }));
      return;
    }
    const lastEventId = String(request.headers['last-event-id'] ?? '');
    this.cursors.push(lastEventId);
    this.#open.add(response);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(this.greeting(lastEventId));
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.address = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  send(text: string): void {
    for (const response of this.#open) response.write(text);
  }

  /** As an engine that is killed. */
  cut(): void {
    for (const response of this.#open) response.destroy();
    this.#open.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

export function event(name: string, data: object, id = ''): string {
  return `${id === '' ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

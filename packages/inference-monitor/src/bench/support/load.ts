import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const BODY = JSON.stringify({ model: 'm', prompt: 'the quick brown fox jumps over the lazy dog', max_tokens: 16 });
const REQUEST = [
  'POST /v1/completions HTTP/1.1',
  'Host: localhost',
  'Accept: application/json',
  'Content-Type: application/json',
  'User-Agent: OpenAI/Python 3.57.0',
  'Authorization: Bearer none',
  `Content-Length: ${BODY.length}`,
  '',
  BODY,
].join('\r\n');

/** One connection that asks one thing at a time. */
export class Asker {
  readonly #socket: Socket;
  #missing = 0;
  #done: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => {
      if (this.#missing === 0) this.#missing = lengthOf(bytes);
      this.#missing -= bytes.length;
      if (this.#missing > 0) return;
      this.#missing = 0;
      this.#done?.();
    });
  }

  static async connect(port: number): Promise<Asker> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Asker(socket);
  }

  /** @returns milliseconds until the answer was whole */
  ask(): Promise<number> {
    const begun = performance.now();
    return new Promise((resolve) => {
      this.#done = () => resolve(performance.now() - begun);
      this.#socket.write(REQUEST);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Of the whole answer; its head is in the first bytes. */
function lengthOf(bytes: Buffer): number {
  const head = bytes.indexOf('\r\n\r\n') + 4;
  return head + Number(/content-length: (\d+)/i.exec(bytes.toString('latin1', 0, head))?.[1] ?? 0);
}

/** As many as it can. @returns requests that were answered */
export async function flood(askers: readonly Asker[], requests: number): Promise<number> {
  let left = requests;
  const one = async (asker: Asker): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await asker.ask();
    }
  };
  await Promise.all(askers.map(one));
  return requests;
}

/** One after the other with a pause. @returns milliseconds each took */
export async function trickle(asker: Asker, requests: number, pauseMs: number): Promise<number[]> {
  const took: number[] = [];
  for (let k = 0; k < requests; k += 1) {
    took.push(await asker.ask());
    await delay(pauseMs);
  }
  return took;
}

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answer, StartedServer } from './kind.js';
import { KINDS, type ServerName } from './kinds.js';

/** Names the broker's socket for every test of a run. */
export const BROKER_VARIABLE = 'SENTINEL_TEST_SERVERS';

/**
 * Starts each server of a run when the first test asks for it, once, and ends them all with the run. Test files are processes of
 * their own: they ask over a Unix socket, a line with the server's name, and get a line of JSON.
 */
export class Broker implements AsyncDisposable {
  readonly #answers = new Map<ServerName, Promise<Answer>>();
  readonly #started: StartedServer[] = [];
  #server: Server | null = null;
  #folder: string | null = null;

  /** @returns the path that tests find in `BROKER_VARIABLE` */
  async listen(): Promise<string> {
    this.#folder = mkdtempSync(join(tmpdir(), 'sentinel-servers-'));
    const socket = join(this.#folder, 'socket');
    this.#server = createServer((connection) => {
      connection.on('error', () => connection.destroy());
      connection.setEncoding('utf8').once('data', (line: string) => {
        void this.answer(line.trim() as ServerName).then((answer) => connection.end(`${JSON.stringify(answer)}\n`));
      });
    });
    await new Promise<void>((resolve, reject) => {
      this.#server?.once('error', reject).listen(socket, resolve).unref();
    });
    return socket;
  }

  /** The server's URL; it is started if it has not been. */
  answer(name: ServerName): Promise<Answer> {
    const known = this.#answers.get(name);
    if (known !== undefined) return known;
    const answer = this.#start(name);
    this.#answers.set(name, answer);
    return answer;
  }

  /** Ends every server that was started here. */
  async close(): Promise<void> {
    this.#server?.close();
    await Promise.all(this.#answers.values());
    await Promise.all(this.#started.map((server) => server.stop()));
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(name: ServerName): Promise<Answer> {
    const kind = KINDS[name];
    const there = process.env[kind.variable];
    if (there !== undefined && there !== '') return { url: there };
    let folder: string | null = null;
    try {
      folder = mkdtempSync(join(tmpdir(), `sentinel-${name}-`));
      const server = await kind.start(folder);
      this.#started.push(server);
      return { url: server.url };
    } catch (error) {
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
      return { missing: error instanceof Error ? error.message : String(error) };
    }
  }
}

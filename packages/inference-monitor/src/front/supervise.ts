import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseListenAddress } from '@sentinel/service-kit/address';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Logger } from '@sentinel/service-kit/logging';
import { ControlClient, type Hello } from './control/control-client.js';
import { controlPath, type FromFront } from './control/messages.js';
import { type FrontCounts, zeroCounts } from './counts.js';
import { commandOf, launch } from './launch.js';
import { type FrontSettings, fingerprint } from './settings.js';

/** Until a front that was started serves. */
const START_MS = 30_000;
/** Until a port is free that a front gives up; whoever meets a port of somebody else waits as long to be told. */
const BIND_MS = 10_000;
/** A front that died is served again by its keeper a second and a start of Node later. */
const ABSENT_MS = 10_000;
const LOOK_MS = 50;
/** Of an order to drain, beyond the time that requests in flight have. */
const DRAINED_MS = 2_000;

/** The front tells its counts every second; one that has told nothing in so many seconds hangs, and requests with it. */
const SILENT_TICKS = 30;
const TICK_MS = 1_000;

type Addresses = Pick<FrontSettings, 'listen' | 'grpcListen'>;

/** Keeps one front running; the front outlives it. */
export class FrontSupervisor {
  readonly #settings: FrontSettings;
  readonly #log: Logger;
  readonly #command: readonly string[];
  readonly #tickMs: number;
  readonly #absentMs: number;
  #client: ControlClient | null = null;
  #stopped = false;
  #counts = zeroCounts();
  #heard = true;
  #restarts = 0;
  #address = '';

  /**
   * @param tickMs how often it is looked whether the front has told something
   * @param absentMs a front that its keeper did not start again in this time is started anew
   */
  constructor(settings: FrontSettings, log: Logger, { tickMs = TICK_MS, absentMs = ABSENT_MS } = {}) {
    this.#settings = settings;
    this.#tickMs = tickMs;
    this.#absentMs = absentMs;
    this.#log = log;
    this.#command = commandOf(settings);
  }

  /** The newest that the front has told. */
  get counts(): FrontCounts {
    return this.#counts;
  }

  /** Fronts that died while this process watched. */
  get restarts(): number {
    return this.#restarts;
  }

  get serving(): boolean {
    return this.#client !== null;
  }

  /** HOST:PORT where requests pass, once `start` has resolved. */
  get address(): string {
    return this.#address;
  }

  /** Resolves once requests pass, with the address. @throws SentinelError where the address is taken */
  async start(): Promise<string> {
    mkdirSync(dirname(this.#settings.socket), { recursive: true });
    const client = await this.#begin(this.#settings);
    void this.#watch(client);
    this.#address = client.hello.address;
    return client.hello.address;
  }

  /** Lets go of the front, which goes on. */
  leave(): void {
    this.#stopped = true;
    if (this.#client !== null)
      this.#log.info({ front: this.#client.hello.pid }, 'requests still pass; SIGTERM to the front ends that');
    this.#client?.close();
  }

  /** Ends the front once its requests have ended. */
  async drain(): Promise<void> {
    this.#stopped = true;
    const client = this.#client;
    if (client === null) return;
    client.order({ kind: 'drain' });
    await Promise.race([client.closed, delay(this.#settings.drainS * 1000 + DRAINED_MS, undefined, { ref: false })]);
  }

  async #begin(at: Addresses): Promise<ControlClient> {
    const wanted = fingerprint(this.#settings, programOf(this.#command));
    const there = await this.#connect();
    if (there?.hello.fingerprint === wanted) {
      this.#log.info({ front: there.hello.pid, listen: there.hello.address }, 'a front that was running is kept');
      return there;
    }
    if (there !== null && sameAddress(this.#settings, there.hello)) {
      this.#log.info({ front: there.hello.pid }, 'the front has other settings: it is replaced');
      there.order({ kind: 'replace', command: this.#command });
    } else {
      there?.order({ kind: 'drain' });
      await this.#launch(at);
    }
    return this.#await(wanted);
  }

  async #launch({ listen, grpcListen }: Addresses): Promise<void> {
    const servers: Server[] = [];
    try {
      servers.push(await bind(listen, 'listen_address'));
      if (grpcListen !== '') servers.push(await bind(grpcListen, 'grpc_listen_address'));
      launch(this.#command, servers, this.#settings.socket);
    } finally {
      // Also where one port is taken: on another that stayed open clients would wait for an answer that nobody gives.
      for (const server of servers) server.close();
    }
  }

  async #await(wanted: string): Promise<ControlClient> {
    const until = performance.now() + START_MS;
    while (performance.now() < until) {
      const client = await this.#connect();
      if (client?.hello.fingerprint === wanted) return client;
      client?.close();
      await delay(LOOK_MS);
    }
    throw new SentinelError({
      code: 'UNAVAILABLE',
      message: `the front did not start within ${START_MS / 1000} s`,
      hint: `See ${controlPath(this.#settings.socket)}.log.`,
    });
  }

  #connect(): Promise<ControlClient | null> {
    return ControlClient.connect(controlPath(this.#settings.socket), (message) => this.#take(message));
  }

  async #watch(first: ControlClient): Promise<void> {
    let client = first;
    while (!this.#stopped) {
      this.#client = client;
      await this.#closed(client);
      this.#client = null;
      if (this.#stopped) return;
      this.#restarts += 1;
      this.#log.error({ front: client.hello.pid }, 'the front died: requests in flight were lost, new ones wait');
      const next = await this.#again(client.hello);
      if (next === null) return;
      client = next;
    }
  }

  /** By its death, or because it hangs and is ended. Counted are looks of this process, which may itself have stood still. */
  async #closed({ closed, hello }: ControlClient): Promise<void> {
    let silent = 0;
    const timer = setInterval(() => {
      silent = this.#heard ? 0 : silent + 1;
      this.#heard = false;
      if (silent !== SILENT_TICKS) return;
      const seconds = (SILENT_TICKS * this.#tickMs) / 1000;
      this.#log.error({ front: hello.pid }, `the front has told nothing for ${seconds} s: it hangs, and is ended`);
      end(hello.pid);
    }, this.#tickMs);
    timer.unref();
    await closed;
    clearInterval(timer);
  }

  /** The keeper starts it again; without one it is started anew. */
  async #again(died: Hello): Promise<ControlClient | null> {
    const until = performance.now() + this.#absentMs;
    while (!this.#stopped) {
      const client = (await this.#connect()) ?? (performance.now() > until ? await this.#anew(died) : null);
      if (client !== null) {
        this.#log.info({ front: client.hello.pid }, 'the front serves again');
        return client;
      }
      await delay(LOOK_MS);
    }
    return null;
  }

  /** Where it was: clients know the port that the system chose. */
  async #anew({ address, grpcAddress }: Hello): Promise<ControlClient | null> {
    try {
      return await this.#begin({ listen: address, grpcListen: grpcAddress });
    } catch (error) {
      this.#log.error({ err: error }, 'the front could not be started; tried again');
      return null;
    }
  }

  #take(message: FromFront): void {
    this.#heard = true;
    if (message.kind === 'counts') this.#counts = message.counts;
    if (message.kind === 'said') this.#log[message.level](message.text);
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function programOf(command: readonly string[]): string {
  return command.at(-2) ?? '';
}

function sameAddress(settings: FrontSettings, hello: Hello): boolean {
  return settings.listen === hello.listen && settings.grpcListen === hello.grpcListen;
}

/** Where a front that drains still has the port it is waited for. */
async function bind(address: string, key: string): Promise<Server> {
  const until = performance.now() + BIND_MS;
  for (;;) {
    try {
      return await listen(address);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE' && performance.now() < until) await delay(LOOK_MS);
      else throw refused(error, address, key);
    }
  }
}

function listen(address: string): Promise<Server> {
  const { host, port } = parseListenAddress(address);
  const server = createServer();
  return new Promise((resolve, reject) => {
    // Between this and close() no connection is accepted: both run before the event loop looks at sockets.
    server.once('error', reject).listen({ host, port }, () => resolve(server));
  });
}

function refused(error: unknown, address: string, key: string): SentinelError {
  const { code = String(error) } = error as NodeJS.ErrnoException;
  return new SentinelError({
    code: code === 'EADDRINUSE' ? 'UNAVAILABLE' : 'FAILED_PRECONDITION',
    field: `inference_monitor.${key}`,
    message: `cannot listen on ${address}: ${code}`,
    hint: `Free it, or set inference_monitor.${key}.`,
  });
}

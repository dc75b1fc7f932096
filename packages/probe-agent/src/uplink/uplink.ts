import type { DirectiveStatus } from '@sentinel/contracts/sentinel/v1/control.js';
import type { ProbeServiceClient } from '@sentinel/contracts/sentinel/v1/probe.js';
import { Backoff } from '@sentinel/service-kit/backoff';
import { SentinelError } from '@sentinel/service-kit/errors';
import { Session, type SessionParts } from './session.js';

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 30_000;

/** A session that lived this long starts over with the first delay. */
const STABLE_MS = 10_000;

/** Time that streams have to end in order when the agent stops; an engine that is busy takes some of it. */
const CLOSE_GRACE_MS = 6_000;

export interface UplinkParts extends Omit<SessionParts, 'client'> {
  /** A client with a connection of its own: both streams must share one. */
  readonly connect: () => Pick<ProbeServiceClient, 'agentControl' | 'streamProbeResults' | 'close'>;
  /** The connection ended or could not be made. */
  readonly onDisconnect: (error: unknown, retryMs: number) => void;
  readonly random?: () => number;
}

/** Keeps a session with the engine: reconnects with full jitter for as long as the agent runs. */
export class Uplink {
  readonly #parts: UplinkParts;
  readonly #backoff: Backoff;
  #session: Session | undefined;
  #stopping = false;
  #renewing = false;
  #interrupt: () => void = () => {};
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: UplinkParts) {
    this.#parts = parts;
    this.#backoff = new Backoff({
      firstMs: FIRST_RETRY_MS,
      lastMs: LAST_RETRY_MS,
      ...(parts.random === undefined ? {} : { random: parts.random }),
    });
  }

  start(): void {
    this.#loop = this.#run();
  }

  wake(): void {
    this.#session?.wake();
  }

  status(status: DirectiveStatus): void {
    this.#session?.status(status);
  }

  /** Says hello anew, because what it said is no longer so. Nothing to do while there is no connection: the next hello is right. */
  renew(): void {
    if (this.#session === undefined) return;
    this.#renewing = true;
    this.#session.close(CLOSE_GRACE_MS);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#session?.close(CLOSE_GRACE_MS);
    this.#interrupt();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const startedMs = performance.now();
      const error = await this.#runSession();
      if (this.#stopping) return;
      if (this.#renewing) {
        this.#renewing = false;
        continue;
      }
      if (performance.now() - startedMs > STABLE_MS) this.#backoff.reset();
      const retryMs = Math.max(this.#backoff.nextMs(), SentinelError.from(error).retryAfterMs);
      this.#parts.onDisconnect(error, retryMs);
      await this.#sleep(retryMs);
    }
  }

  /** Resolves with what ended the session. */
  async #runSession(): Promise<unknown> {
    let client: ReturnType<UplinkParts['connect']> | undefined;
    try {
      client = this.#parts.connect();
      this.#session = new Session({ ...this.#parts, client });
      await this.#session.run();
      return undefined;
    } catch (error) {
      return error;
    } finally {
      this.#session = undefined;
      client?.close();
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

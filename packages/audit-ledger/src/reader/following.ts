/** A follower at work: looks again and again, and says whether what it has may be served. */
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Health, LogView } from '../rpc/context.js';
import type { Follower } from './follower.js';

export interface FollowingOptions {
  readonly intervalMs: number;
  /** Looks that have failed for longer end the service until one succeeds. */
  readonly maxSilenceMs: number;
  readonly nowMs: () => number;
  readonly servingChanged: (serving: boolean) => void;
}

export interface FollowingState {
  readonly serving: boolean;
  readonly stopped: boolean;
  readonly entries: number;
  /** Since the last look that succeeded; since the start where none did. */
  readonly silentMs: number;
}

/** When a client may try again that came before the first checkpoint. */
const RETRY_MS = 1_000;

export class Following {
  readonly #follower: Follower;
  readonly #options: FollowingOptions;
  readonly #startedMs: number;
  #serving: boolean;
  #closed = false;
  #pause = Promise.withResolvers<void>();
  #loop: Promise<void> = Promise.resolve();

  constructor(follower: Follower, options: FollowingOptions) {
    this.#follower = follower;
    this.#options = options;
    this.#startedMs = options.nowMs();
    this.#serving = this.serving;
  }

  get serving(): boolean {
    return this.#follower.view !== undefined && this.#silentMs() <= this.#options.maxSilenceMs;
  }

  state(): FollowingState {
    const { view, stop } = this.#follower;
    return {
      serving: this.serving,
      stopped: stop !== undefined,
      entries: view?.checkpoint.size ?? 0,
      silentMs: this.#silentMs(),
    };
  }

  /** @throws SentinelError UNAVAILABLE before the first checkpoint, DATA_LOSS once stopped */
  view(): LogView {
    const { view, stop } = this.#follower;
    if (stop !== undefined)
      throw new SentinelError({
        code: 'DATA_LOSS',
        reason: 'CONFLICT',
        message: `this reader has stopped: ${stop.reason}`,
        hint: `The log is forked or was rolled back. Evidence is in ${stop.evidence.join(', ') || 'the log of the reader'}.`,
      });
    if (view !== undefined) return view;
    throw new SentinelError({
      code: 'UNAVAILABLE',
      message: 'this reader has no checkpoint yet that it could verify',
      retryAfterMs: RETRY_MS,
      hint: 'Start the writer of the log; the log of the reader says what it waits for.',
    });
  }

  health(): Health {
    const { view, stop } = this.#follower;
    const entries = view?.checkpoint.size ?? 0;
    const silentSeconds = Math.floor(this.#silentMs() / 1000);
    if (stop !== undefined)
      return { healthy: false, report: { status: 'forked', reason: stop.reason, evidence: stop.evidence } };
    if (view === undefined) return { healthy: false, report: { status: 'waiting', silentSeconds } };
    const healthy = this.serving;
    return { healthy, report: { status: healthy ? 'ok' : 'silent', mode: 'reader', entries, silentSeconds } };
  }

  async look(): Promise<void> {
    await this.#follower.look();
    const { serving } = this;
    if (serving !== this.#serving) this.#options.servingChanged(serving);
    this.#serving = serving;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#pause.resolve();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#closed && this.#follower.stop === undefined) {
      this.#pause = Promise.withResolvers();
      const timer = setTimeout(() => this.#pause.resolve(), this.#options.intervalMs);
      await this.#pause.promise;
      clearTimeout(timer);
      if (!this.#closed) await this.look();
    }
  }

  #silentMs(): number {
    return Math.max(0, this.#options.nowMs() - (this.#follower.lookedMs ?? this.#startedMs));
  }
}

import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Answer, Asked, CallName, Calls, Question } from './protocol.js';

/** V8 limits that keep the child small; it holds no data between two questions. */
const CHILD_FLAGS = ['--max-old-space-size=32', '--max-semi-space-size=1', '--single-threaded-gc', '--no-warnings'];

/** Asked of every new child first: the limits of later questions are for what they ask, and not for a process that starts. */
const START: Asked = { call: 'info', argument: null, timeoutMs: 60_000 };

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 30_000;

/** A child that lived this long starts over with the first backoff. */
const HEALTHY_MS = 60_000;

/** A killed child that is not gone after this is left to the kernel. */
const STOP_TIMEOUT_MS = 2_000;

const PAGE_BYTES = 4096;

export type ChildEvent =
  | { readonly kind: 'timeout'; readonly detail: string }
  | { readonly kind: 'crashed'; readonly detail: string };

/** Either the answer, or why there is none. `unavailable`, and `unprepared` after a refused prelude: nothing was executed. */
export type ChildReply<T> =
  | { readonly kind: 'answer'; readonly value: T }
  | { readonly kind: 'timeout' | 'crashed' | 'refused' | 'unavailable' | 'unprepared'; readonly reason: string };

export interface ProbeChildOptions {
  readonly addonFile: string;
  /** What it is for: its last argument, so that people and tools that list processes tell children apart. */
  readonly role: 'probes' | 'telemetry';
  /** The child's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Asked of every new child before anything else; one that refuses any of it is ended. */
  readonly prelude: readonly Asked[];
  /** Hears what a new child answered to each question of the prelude, or the first refusal. */
  readonly onPrelude?: (outcome: PreludeOutcome) => void;
}

export type PreludeOutcome =
  | { readonly answers: readonly unknown[] }
  | { readonly refused: CallName; readonly refusal: string };

interface Pending {
  readonly id: number;
  readonly settle: (reply: ChildReply<unknown>) => void;
}

/**
 * The daemon's side of the probe child. A child that does not answer in time is killed; one that is gone is replaced after a
 * backoff. Neither stops the daemon. One question at a time: callers wait for each other.
 */
export class ProbeChild {
  readonly #options: ProbeChildOptions;
  #process: ChildProcess | undefined;
  #pending: Pending | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #nextId = 1;
  #failures = 0;
  #startedMs = 0;
  #notBeforeMs = 0;
  #stopping = false;
  restarts = 0;
  /** Told of every child that hung or died. */
  onEvent: (event: ChildEvent) => void = () => {};

  constructor(options: ProbeChildOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Asks when every earlier question is settled. Never rejects. */
  ask<Name extends CallName>(
    call: Name,
    argument: Calls[Name]['argument'],
    timeoutMs: number,
  ): Promise<ChildReply<Calls[Name]['answer']>> {
    const turn = this.#queue.then(async () => {
      const started = await this.#ensureStarted(timeoutMs);
      return started === undefined ? this.#exchange(call, argument, timeoutMs) : started;
    });
    this.#queue = turn;
    return turn as Promise<ChildReply<Calls[Name]['answer']>>;
  }

  /** Resident memory of the child, bytes; undefined while there is none. */
  residentBytes(): number | undefined {
    try {
      const pages = readFileSync(`/proc/${this.pid ?? 0}/statm`, 'latin1').split(' ')[1];
      return Number(pages) * PAGE_BYTES;
    } catch {
      return undefined;
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#process;
    if (child === undefined) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGKILL');
    // A process that hangs inside a driver ends when the driver lets it.
    await Promise.race([exited, delay(STOP_TIMEOUT_MS, undefined, { ref: false })]);
  }

  /** Undefined once a child runs, else why none does. */
  async #ensureStarted(timeoutMs: number): Promise<ChildReply<never> | undefined> {
    if (this.#process !== undefined) return undefined;
    const waitMs = this.#notBeforeMs - performance.now();
    if (waitMs > 0) await delay(Math.min(waitMs, timeoutMs));
    if (this.#stopping) return { kind: 'unavailable', reason: 'the agent is stopping' };
    if (waitMs > timeoutMs) return { kind: 'unavailable', reason: 'the probe child is being restarted' };
    this.#spawn();
    return this.#prepare();
  }

  async #prepare(): Promise<ChildReply<never> | undefined> {
    const { prelude, onPrelude } = this.#options;
    const answers: unknown[] = [];
    for (const { call, argument, timeoutMs } of [START, ...prelude]) {
      const reply = await this.#exchange(call, argument, timeoutMs);
      if (reply.kind === 'answer') {
        answers.push(reply.value);
        continue;
      }
      if (reply.kind !== 'refused') return { kind: reply.kind, reason: reply.reason };
      // A child that is not what it should be must not answer anything.
      this.#abandon();
      onPrelude?.({ refused: call, refusal: reply.reason });
      return { kind: 'unprepared', reason: reply.reason };
    }
    onPrelude?.({ answers: answers.slice(1) });
    return undefined;
  }

  /** Ends a child whose answers can no longer be trusted; the next question starts another. */
  replace(detail: string): void {
    this.#abandon();
    this.onEvent({ kind: 'crashed', detail });
  }

  #abandon(): void {
    this.#process?.kill('SIGKILL');
    this.#process = undefined;
    this.#backOff();
  }

  #spawn(): void {
    const { addonFile, role, env } = this.#options;
    const child = fork(fileURLToPath(new URL('./child-main.js', import.meta.url)), [addonFile, role], {
      serialization: 'advanced',
      execArgv: CHILD_FLAGS,
      env,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#process = child;
    if (this.#startedMs > 0) this.restarts += 1;
    this.#startedMs = performance.now();
    child.on('message', (answer: Answer) => this.#answered(answer));
    child.on('error', (error) => this.#gone(child, error.message));
    child.on('exit', (code, signal) =>
      this.#gone(child, signal === null ? `exit status ${code ?? 'unknown'}` : `killed by ${signal}`),
    );
  }

  #exchange(call: CallName, argument: unknown, timeoutMs: number): Promise<ChildReply<unknown>> {
    const child = this.#process;
    if (child === undefined) return Promise.resolve({ kind: 'crashed', reason: 'the probe child is gone' });
    return new Promise((resolve) => {
      const id = this.#nextId++;
      const timer = setTimeout(() => this.#timedOut(child, call, timeoutMs), timeoutMs);
      this.#pending = {
        id,
        settle: (reply) => {
          clearTimeout(timer);
          this.#pending = undefined;
          resolve(reply);
        },
      };
      child.send({ id, call, argument } as Question, () => {
        // A failed send is followed by `exit`, which settles.
      });
    });
  }

  #answered(answer: Answer): void {
    if (this.#pending?.id !== answer.id) return;
    this.#pending.settle(
      'error' in answer ? { kind: 'refused', reason: answer.error } : { kind: 'answer', value: answer.value },
    );
  }

  #timedOut(child: ChildProcess, call: CallName, timeoutMs: number): void {
    const detail = `the probe child did not answer "${call}" within ${timeoutMs} ms and was replaced`;
    this.#process = undefined;
    child.kill('SIGKILL');
    this.#backOff();
    this.onEvent({ kind: 'timeout', detail });
    this.#pending?.settle({ kind: 'timeout', reason: detail });
  }

  #gone(child: ChildProcess, how: string): void {
    if (this.#process !== child) return;
    this.#process = undefined;
    if (this.#stopping) {
      this.#pending?.settle({ kind: 'unavailable', reason: 'the agent is stopping' });
      return;
    }
    this.#backOff();
    const detail = `the probe child ended (${how}) and is replaced`;
    this.onEvent({ kind: 'crashed', detail });
    this.#pending?.settle({ kind: 'crashed', reason: detail });
  }

  #backOff(): void {
    const now = performance.now();
    if (now - this.#startedMs > HEALTHY_MS) this.#failures = 0;
    this.#notBeforeMs = now + Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#failures);
    this.#failures += 1;
  }
}

/**
 * Where the second path of a commit is computed. Of a large batch in a thread of its own: the first one takes requests meanwhile,
 * and what the other works on are copies that it alone has.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Recomputed, recomputeBatch, type ShadowState } from './recompute.js';

/** Records of entries below it are recomputed in less time than a thread takes to answer: some fifty entries. */
const MIN_BYTES = 8_192;

export interface SecondPathRequest {
  readonly before: ShadowState;
  readonly entries: Uint8Array;
  readonly details: Uint8Array;
}

/** What the thread answers; `wrong`: why the bytes are no well-formed continuation. */
export type SecondPathAnswer = { readonly again: Recomputed } | { readonly wrong: string };

/** @throws where the bytes are not a well-formed continuation of `before` */
export type SecondPath = (request: SecondPathRequest) => Recomputed | Promise<Recomputed>;

/** The thread is gone: this says nothing about the batch. */
export class SecondPathLostError extends Error {
  override readonly name = 'SecondPathLostError';
}

export function inPlace({ before, entries, details }: SecondPathRequest): Recomputed {
  return recomputeBatch(before, entries, details);
}

/** One batch at a time, as commits are. */
export class SecondPathThread {
  readonly #minBytes: number;
  #worker: Worker | undefined;
  #pending: PromiseWithResolvers<Recomputed> | undefined;

  constructor(minBytes = availableParallelism() > 1 ? MIN_BYTES : Number.POSITIVE_INFINITY) {
    this.#minBytes = minBytes;
  }

  readonly recompute: SecondPath = (request) => {
    if (request.entries.length < this.#minBytes) return inPlace(request);
    this.#worker ??= this.#start();
    this.#pending = Promise.withResolvers();
    this.#worker.postMessage(request);
    return this.#pending.promise;
  };

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./second-path-main.js', import.meta.url));
    worker.on('message', (answer: SecondPathAnswer) => {
      if ('again' in answer) this.#pending?.resolve(answer.again);
      else this.#pending?.reject(new Error(answer.wrong));
    });
    const lost = (why: string): void => {
      this.#worker = undefined;
      this.#pending?.reject(new SecondPathLostError(`the thread of the second path ${why}`));
    };
    worker.on('error', (error) => lost(`failed: ${String(error)}`));
    worker.on('exit', (code) => lost(`ended with ${code}`));
    return worker;
  }
}

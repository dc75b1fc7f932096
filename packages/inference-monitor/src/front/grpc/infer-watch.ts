import {
  type Replay,
  type RequestSample,
  RequestSample_Kind,
  type TensorStats,
} from '@sentinel/contracts/sentinel/v1/inference.js';
import type { FrontCounts } from '../counts.js';
import { MAX_OUTPUTS, MAX_REPLAY_BODY_BYTES } from '../sampling/kserve-plan.js';
import { readInferAnswer, readStreamAnswer } from './infer-messages.js';
import { replayOf } from './infer-replay.js';
import { MessageFrames } from './message-frames.js';

const METHODS: Readonly<Record<string, typeof readStreamAnswer>> = {
  '/inference.GRPCInferenceService/ModelInfer': readInferAnswer,
  '/inference.GRPCInferenceService/ModelStreamInfer': readStreamAnswer,
};

export interface InferWatchParts {
  readonly counts: FrontCounts;
  readonly nowMs: () => number;
  readonly nowUs: () => bigint;
  readonly onSample: (sample: RequestSample) => void;
}

/** Looks at the answers of one sampled call. */
export class InferWatch {
  readonly #parts: InferWatchParts;
  readonly #read: typeof readStreamAnswer;
  readonly #frames = new MessageFrames();
  readonly #beganMs: number;
  #firstMs = 0;
  #model = '';
  #outputs: TensorStats[] = [];
  readonly #asked: MessageFrames | null;
  #replay: Replay | undefined;

  private constructor(parts: InferWatchParts, read: typeof readStreamAnswer) {
    this.#parts = parts;
    this.#read = read;
    // A stream may go on with what came before.
    this.#asked = read === readInferAnswer ? new MessageFrames() : null;
    this.#beganMs = parts.nowMs();
  }

  /** @returns null where the method is none that computes */
  static of(path: string, parts: InferWatchParts): InferWatch | null {
    const read = METHODS[path];
    if (read !== undefined) return new InferWatch(parts, read);
    parts.counts.doubts.route += 1;
    return null;
  }

  /** Bytes of the request. */
  asked(data: Buffer): void {
    try {
      for (const message of this.#asked?.push(data) ?? [])
        if (message.length <= MAX_REPLAY_BODY_BYTES) this.#replay = replayOf(message) ?? undefined;
    } catch {
      // The server will say so, and no answer is sampled then.
    }
  }

  /** Bytes of the answer. */
  push(data: Buffer): void {
    if (this.#firstMs === 0) this.#firstMs = this.#parts.nowMs();
    try {
      for (const message of this.#frames.push(data)) this.#take(message);
    } catch {
      this.#parts.counts.doubts.answer += 1;
    }
  }

  end(): void {
    if (this.#outputs.length === 0) return;
    const { nowMs, nowUs, onSample, counts } = this.#parts;
    counts.sampled += 1;
    onSample({
      timeUs: nowUs(),
      kind: RequestSample_Kind.TENSORS,
      model: this.#model,
      promptTokens: 0,
      completionTokens: 0,
      firstByteUs: Math.round((this.#firstMs - this.#beganMs) * 1000),
      totalUs: Math.round((nowMs() - this.#beganMs) * 1000),
      blocks: [],
      outputs: this.#outputs,
      replay: this.#replay,
    });
  }

  #take(message: Buffer): void {
    const answer = this.#read(message);
    if (answer === null) return;
    this.#model = answer.model;
    this.#outputs = [...this.#outputs, ...answer.outputs].slice(-MAX_OUTPUTS);
  }
}

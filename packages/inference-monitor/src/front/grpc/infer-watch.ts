import { type RequestSample, RequestSample_Kind, type TensorStats } from '@sentinel/contracts/sentinel/v1/inference.js';
import type { FrontCounts } from '../counts.js';
import { MAX_OUTPUTS } from '../sampling/kserve-plan.js';
import { readInferAnswer, readStreamAnswer } from './infer-messages.js';
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

  private constructor(parts: InferWatchParts, read: typeof readStreamAnswer) {
    this.#parts = parts;
    this.#read = read;
    this.#beganMs = parts.nowMs();
  }

  /** @returns null where the method is none that computes */
  static of(path: string, parts: InferWatchParts): InferWatch | null {
    const read = METHODS[path];
    if (read !== undefined) return new InferWatch(parts, read);
    parts.counts.doubts.route += 1;
    return null;
  }

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
      replay: undefined,
    });
  }

  #take(message: Buffer): void {
    const answer = this.#read(message);
    if (answer === null) return;
    this.#model = answer.model;
    this.#outputs = [...this.#outputs, ...answer.outputs].slice(-MAX_OUTPUTS);
  }
}

import { type RequestSample, RequestSample_Kind, type TensorStats } from '@sentinel/contracts/sentinel/v1/inference.js';
import { contentCoding, decoded, isKnownCoding } from './content-coding.js';
import { KeptBody } from './kept-body.js';
import { computesOnly } from './kserve-request.js';
import { modelName } from './names.js';
import { parsedTolerantly } from './nonfinite.js';
import { type Doubt, hasTrailers, type Plan, type Reading, type SampledRequest } from './plan.js';
import { isNumeric, statsOfBytes, statsOfValues } from './tensor-stats.js';

/** Larger answers pass unseen, since requests of others pass the same thread; of compressed ones what they become counts as well. */
const MAX_WATCHED_BYTES = 2 * 1024 * 1024;
/** A larger request is not kept to be computed again. */
export const MAX_REPLAY_BODY_BYTES = 65_536;
/** Tensors of one answer that are told, the first; as many as the analyser takes. */
export const MAX_OUTPUTS = 64;

/** Length of the JSON part of a body with binary tensors. */
const HEADER_LENGTH = 'inference-header-content-length';
const INFER = /^\/v2\/models\/([^/]+)(?:\/versions\/[^/]+)?\/infer$/;

/** Name of the model; null where the path asks for something else. */
export function inferredModel(path: string): string | null {
  const name = INFER.exec(path.split('?', 1)[0] ?? '')?.[1];
  if (name === undefined) return null;
  try {
    return decodeURIComponent(name);
  } catch {
    return null;
  }
}

export interface KservePlanParts {
  readonly request: SampledRequest;
  readonly model: string;
  readonly nowMs: () => number;
  readonly nowUs: () => bigint;
  readonly onSample: (sample: RequestSample) => void;
  readonly onDoubt: (reason: Doubt) => void;
}

interface Output {
  readonly name?: unknown;
  readonly datatype?: unknown;
  readonly shape?: unknown;
  readonly data?: unknown;
  readonly parameters?: { readonly binary_data_size?: unknown };
}

/** One sampled request of KServe v2 over HTTP, with tensors in JSON or in binary. Nothing of it is changed. */
export class KservePlan implements Plan {
  readonly body = null;
  readonly #parts: KservePlanParts;
  readonly #beganMs: number;

  constructor(parts: KservePlanParts) {
    this.#parts = parts;
    this.#beganMs = parts.nowMs();
  }

  answer(status: number, headers: SampledRequest['headers']): Reading {
    const coding = contentCoding(headers);
    if (status !== 200 || hasTrailers(headers) || !isKnownCoding(coding)) {
      this.#parts.onDoubt('answer');
      return { kind: 'pass' };
    }
    const firstMs = this.#parts.nowMs();
    const headerLength = lengthOf(headers);
    const kept = new KeptBody(MAX_WATCHED_BYTES);
    return {
      kind: 'watch',
      held: () => kept.held,
      push: (data) => kept.push(data),
      end: () => {
        if (kept.isTooLarge) {
          this.#parts.onDoubt('too_large');
          return;
        }
        const endMs = this.#parts.nowMs();
        void decoded(kept.whole, coding, MAX_WATCHED_BYTES)
          .then((body) => this.#end(body, headerLength, firstMs, endMs))
          .catch(() => this.#parts.onDoubt('answer'));
      },
    };
  }

  unanswered(): boolean {
    return false;
  }

  abandon(): void {
    // Nothing is kept of an answer that did not come to its end.
  }

  #end(body: Buffer | null, headerLength: number, firstMs: number, endMs: number): void {
    const { nowUs, model, onSample, onDoubt } = this.#parts;
    const answer = body === null ? null : readAnswer(body, headerLength);
    if (answer === null) {
      onDoubt('answer');
      return;
    }
    onSample({
      timeUs: nowUs(),
      kind: RequestSample_Kind.TENSORS,
      model: modelName(model, answer.version),
      promptTokens: 0,
      completionTokens: 0,
      firstByteUs: microseconds(firstMs - this.#beganMs),
      totalUs: microseconds(endMs - this.#beganMs),
      blocks: [],
      outputs: answer.outputs,
      replay: this.#replay(),
    });
  }

  #replay() {
    const { body, path, headers } = this.#parts.request;
    // What asks again knows of no compressed bodies.
    if (body.length > MAX_REPLAY_BODY_BYTES || contentCoding(headers) !== '') return undefined;
    const headerLength = lengthOf(headers);
    if (!computesOnly(body, headerLength)) return undefined;
    const contentType = headers.find(([name]) => name === 'content-type')?.[1] ?? '';
    // A query is for what stands before the server, and may hold a key.
    const plain = path.split('?', 1)[0] ?? '';
    return { prompt: [], completion: [], body, path: plain, contentType, headerLength };
  }
}

export interface KserveAnswer {
  /** Of the model; '' = it is not told. */
  readonly version: string;
  readonly outputs: TensorStats[];
}

/** @param headerLength 0 = all of it is JSON. @returns null where it is no answer of KServe v2 */
export function readAnswer(body: Buffer, headerLength: number): KserveAnswer | null {
  let outputs: unknown;
  let version: unknown;
  try {
    const json = body.toString('utf8', 0, headerLength === 0 ? body.length : headerLength);
    ({ outputs, model_version: version } = parsedTolerantly(json, 'null') as Record<string, unknown>);
  } catch {
    return null;
  }
  if (!Array.isArray(outputs)) return null;
  return { version: typeof version === 'string' ? version : '', outputs: statsOf(outputs, body, headerLength) };
}

function statsOf(outputs: readonly Output[], body: Buffer, headerLength: number): TensorStats[] {
  let at = headerLength;
  return outputs.slice(0, MAX_OUTPUTS).map((output) => {
    const tensor = { name: String(output.name), datatype: String(output.datatype), elements: elementsOf(output.shape) };
    const size = output.parameters?.binary_data_size;
    if (typeof size === 'number') {
      const data = body.subarray(at, at + size);
      at += size;
      return statsOfBytes(tensor, data);
    }
    const values = Array.isArray(output.data) ? output.data.flat(Number.POSITIVE_INFINITY) : [];
    return statsOfValues(tensor, isNumeric(tensor.datatype) ? values.map(numberOf) : []);
  });
}

/** Strict JSON has no word for what is no number: servers write null, or those of Python's json. */
export function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : Number.NaN;
}

function elementsOf(shape: unknown): number {
  if (!Array.isArray(shape)) return -1;
  return shape.reduce((product: number, length) => product * Number(length), 1);
}

function lengthOf(headers: SampledRequest['headers']): number {
  return Number(headers.find(([name]) => name === HEADER_LENGTH)?.[1] ?? 0);
}

function microseconds(ms: number): number {
  return Math.min(0xffff_ffff, Math.max(0, Math.round(ms * 1000)));
}

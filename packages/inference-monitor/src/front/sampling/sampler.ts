import type { RequestSample } from '@sentinel/contracts/sentinel/v1/inference.js';
import type { FrontCounts } from '../counts.js';
import type { Head } from '../http1/head.js';
import { contentCoding } from './content-coding.js';
import { inferredModel, KservePlan } from './kserve-plan.js';
import { OpenAiPlan } from './openai-plan.js';
import { OPENAI_ROUTES, type Route, readAsking } from './openai-request.js';
import type { Doubt, Plan, SampledRequest, Sampling } from './plan.js';
import type { Shape } from './shape.js';

/** Changed requests that a server refuses in a row on one route before it is left alone. */
const MAX_REFUSALS = 5;
/** Then it is tried again after this time. */
const REFUSED_MS = 600_000;
/** A server that has too much to do is asked for no more than it is for this time. */
const OVERLOADED_MS = 10_000;

export interface SamplerParts {
  readonly rate: () => number;
  readonly counts: FrontCounts;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly nowMs: () => number;
  readonly nowUs: () => bigint;
  readonly onSample: (sample: RequestSample) => void;
  /** Whether so much waits in the front that nothing is to be kept in addition. */
  readonly isPressed?: () => boolean;
}

/** How a server writes is learnt anew after this time: it may be another one. */
const LEARNED_MS = 3_600_000;
/** Routes and models of which that is known; the one that was asked longest ago makes room. */
const MAX_LEARNED = 64;
/** Of a model's name, which is the client's. */
const MAX_NAME = 200;
/** Requests with a field that the server does not know. */
const NOT_UNDERSTOOD: ReadonlySet<number> = new Set([400, 422]);

interface Learned {
  shape: Shape | null;
  atMs: number;
  refusals: number;
  refusedUntilMs: number;
}

/** Draws requests, and knows the routes on which they can be sampled. */
export class Sampler implements Sampling {
  readonly #parts: SamplerParts;
  /** By route, streamed or not, and model: a gateway has several servers. */
  readonly #learned = new Map<string, Learned>();
  #overloadedUntilMs = 0;

  constructor(parts: SamplerParts) {
    this.#parts = parts;
  }

  draw(): boolean {
    const rate = this.#parts.rate();
    if (rate === 0 || this.#parts.random() >= rate) return false;
    if (this.#parts.isPressed?.() !== true) return true;
    this.doubt('overloaded');
    return false;
  }

  admit(method: string, path: string, headers: Head['headers']): Doubt | null {
    // Of tensors the answer alone is read.
    if (method === 'POST' && inferredModel(path) !== null) return null;
    if (contentCoding(headers) !== '') return 'coding';
    if (method !== 'POST' || routeOf(path) === null) return 'route';
    const type = headers.filter(([name]) => name === 'content-type');
    return type.length === 1 && /^application\/json\b/i.test(type[0]?.[1] ?? '') ? null : 'coding';
  }

  plan(request: SampledRequest): Plan | null {
    const model = inferredModel(request.path);
    if (model !== null) return this.#planTensors(request, model);
    const route = routeOf(request.path);
    if (route === null) return this.#pass('route');
    const asking = readAsking(request.body, route);
    if (typeof asking === 'string') return this.#pass(asking);
    const learned = this.#of(`${route} ${asking.stream} ${asking.model.slice(0, MAX_NAME)}`);
    const { nowMs, nowUs, onSample, counts } = this.#parts;
    const left = this.#leftAlone(learned);
    if (left !== null && !asking.asksLogprobs) return this.#pass(left);
    // How the server answers to an unchanged request comes first.
    if (learned.shape === null && !asking.asksLogprobs) this.doubt('unknown_shape');
    return new OpenAiPlan({
      request,
      route,
      asking,
      shape: left === null ? learned.shape : null,
      nowMs,
      nowUs,
      onSample: (sample) => {
        learned.refusals = 0;
        counts.sampled += 1;
        onSample(sample);
      },
      onShape: (shape) => {
        learned.shape = shape;
        learned.atMs = nowMs();
      },
      onRefused: (status) => {
        this.doubt('refused');
        // It may write the field in its answers, and not take it in a request.
        if (NOT_UNDERSTOOD.has(status) && learned.shape !== null) learned.shape = { ...learned.shape, tokenIds: false };
        learned.refusals += 1;
        if (learned.refusals < MAX_REFUSALS) return;
        learned.refusals = 0;
        learned.refusedUntilMs = nowMs() + REFUSED_MS;
      },
      onOverloaded: () => {
        this.#overloadedUntilMs = nowMs() + OVERLOADED_MS;
      },
      onDoubt: (reason) => this.doubt(reason),
    });
  }

  #leftAlone({ refusedUntilMs }: Learned): Doubt | null {
    const nowMs = this.#parts.nowMs();
    if (refusedUntilMs > nowMs) return 'refused';
    return this.#overloadedUntilMs > nowMs ? 'overloaded' : null;
  }

  #planTensors(request: SampledRequest, model: string): Plan {
    const { nowMs, nowUs, onSample, counts } = this.#parts;
    return new KservePlan({
      request,
      model,
      nowMs,
      nowUs,
      onSample: (sample) => {
        counts.sampled += 1;
        onSample(sample);
      },
      onDoubt: (reason) => this.doubt(reason),
    });
  }

  /** The server is away: the next one may write otherwise. */
  forget(): void {
    for (const learned of this.#learned.values()) learned.shape = null;
  }

  doubt(reason: Doubt): void {
    this.#parts.counts.doubts[reason] += 1;
  }

  #pass(reason: Doubt): null {
    this.doubt(reason);
    return null;
  }

  #of(key: string): Learned {
    const learned = this.#learned.get(key) ?? { shape: null, atMs: 0, refusals: 0, refusedUntilMs: 0 };
    if (this.#parts.nowMs() - learned.atMs > LEARNED_MS) learned.shape = null;
    this.#learned.delete(key);
    this.#learned.set(key, learned);
    const [oldest] = this.#learned.keys();
    if (this.#learned.size > MAX_LEARNED && oldest !== undefined) this.#learned.delete(oldest);
    return learned;
  }
}

function routeOf(path: string): Route | null {
  return OPENAI_ROUTES[path.split('?', 1)[0] ?? ''] ?? null;
}

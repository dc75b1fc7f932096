import type { Replay, RequestSample } from '@sentinel/contracts/sentinel/v1/inference.js';
import { AnswerTally } from './answer-tally.js';
import { carriesNothing, hide } from './hide.js';
import { KeptBody } from './kept-body.js';
import { parsedTolerantly, saysNonfinite } from './nonfinite.js';
import { type Added, type Asking, type Route, withMoreAsked } from './openai-request.js';
import { type Doubt, isOpaque, isSigned, type Plan, type Reading, type SampledRequest } from './plan.js';
import { learnShape, type Shape } from './shape.js';
import { dataOf, SseEvents } from './sse-events.js';

/** Events that are kept to learn how a server writes. */
const MAX_LEARNED_EVENTS = 64;
/** Largest answer that is looked at without being changed. */
const MAX_WATCHED_BYTES = 8 * 1024 * 1024;
/** A larger body is not kept to be computed again: token ids are what one wants. */
const MAX_REPLAY_BODY_BYTES = 65_536;

/** Of an error that is looked at. */
const MAX_ERROR_BYTES = 8_192;

/** Too much to do, or away (RFC 6585 §4, RFC 9110 §15.6). */
const OVERLOADED = new Set([429, 502, 503, 504]);

const NOTHING: Buffer = Buffer.alloc(0);

export interface PlanParts {
  readonly request: SampledRequest;
  readonly route: Route;
  readonly asking: Asking;
  /** null = the request passes unchanged, and how the server answers is learned or looked at. */
  readonly shape: Shape | null;
  readonly nowMs: () => number;
  readonly nowUs: () => bigint;
  readonly onSample: (sample: RequestSample) => void;
  readonly onShape: (shape: Shape) => void;
  /** @param status of the answer to the changed request; 0 = there was none, or it was a success that could not be rewritten */
  readonly onRefused: (status: number) => void;
  /** The server has too much to do, whatever is asked. */
  readonly onOverloaded: () => void;
  readonly onDoubt: (reason: Doubt) => void;
}

/** One sampled request of the OpenAI API. */
export class OpenAiPlan implements Plan {
  readonly body: Buffer | null;
  readonly #parts: PlanParts;
  readonly #added: Added;
  readonly #tally: AnswerTally;
  readonly #beganMs: number;
  #firstByteMs = 0;
  #again = false;
  #refusal = 0;
  #error: Buffer = NOTHING;
  readonly #learned: unknown[] = [];

  constructor(parts: PlanParts) {
    const { asking, shape, route, request } = parts;
    this.#parts = parts;
    this.#tally = new AnswerTally(route);
    this.#beganMs = parts.nowMs();
    const changed = shape !== null;
    this.#added = {
      logprobs: changed && !asking.asksLogprobs,
      tokenIds: changed && shape.tokenIds && !asking.asksTokenIds,
      keepTop: changed ? asking.fewTop : null,
    };
    const adds = this.#added.logprobs || this.#added.tokenIds || this.#added.keepTop !== null;
    this.body = adds ? withMoreAsked(request.body, route, this.#added) : null;
  }

  answer(status: number, headers: SampledRequest['headers']): Reading {
    this.#firstByteMs = this.#parts.nowMs();
    if (this.#again) {
      if (OVERLOADED.has(status)) this.#parts.onOverloaded();
      if (status < 400) this.#endRefused();
      return { kind: 'pass' };
    }
    const type = headers.find(([name]) => name === 'content-type')?.[1] ?? '';
    const stream = /^text\/event-stream\b/i.test(type);
    const isUnknown = status !== 200 || (!stream && !/^application\/json\b/i.test(type));
    // Whatever it is that the server says: it may say so because of what was added.
    if (this.body !== null && (isUnknown || isOpaque(headers) || isSigned(headers))) {
      this.#again = true;
      this.#refusal = status >= 400 ? status : 0;
      return { kind: 'again', push: (data) => this.#keepError(data) };
    }
    // Where answers are signed no request is changed, so that there is no way of writing to be learnt.
    const isFixed = isOpaque(headers) || (isSigned(headers) && !this.#parts.asking.asksLogprobs);
    if (isUnknown || isFixed) {
      this.#parts.onDoubt('answer');
      return { kind: 'pass' };
    }
    if (this.body === null) return stream ? this.#watchEvents() : this.#watchWhole();
    if (!stream) return { kind: 'whole', rewrite: (body) => this.#rewriteWhole(body) };
    const events = new SseEvents();
    return {
      kind: 'stream',
      push: (data) => Buffer.concat(events.push(data).map((event) => this.#rewriteEvent(event))),
      end: () => {
        // The last event may come without the empty line.
        const last = this.#rewriteEvent(events.end());
        this.#end();
        return last;
      },
    };
  }

  unanswered(): boolean {
    const changed = this.body !== null && !this.#again;
    this.#again ||= changed;
    return changed;
  }

  #keepError(data: Buffer): void {
    if (this.#error.length < MAX_ERROR_BYTES) this.#error = Buffer.concat([this.#error, data]);
  }

  /** A request that is refused either way is the client's mistake; this one was not. */
  #endRefused(): void {
    const { asking, route, onRefused } = this.#parts;
    if (!saysNonfinite(this.#error.toString('utf8'))) {
      onRefused(this.#refusal);
      return;
    }
    const logprobs = route === 'chat' ? { content: [{ logprob: null }] } : { token_logprobs: [null] };
    this.#tally.push({ model: asking.model, choices: [{ logprobs }] });
    this.#end();
  }

  abandon(): void {
    // Nothing is kept of an answer that did not come to its end.
  }

  #watchEvents(): Reading {
    const events = new SseEvents();
    return {
      kind: 'watch',
      push: (data) => {
        for (const event of events.push(data)) {
          const found = dataOf(event);
          if (found !== null) this.#look(found.text);
        }
      },
      end: () => this.#end(),
    };
  }

  #watchWhole(): Reading {
    const kept = new KeptBody(MAX_WATCHED_BYTES);
    return {
      kind: 'watch',
      held: () => kept.held,
      push: (data) => kept.push(data),
      end: () => {
        if (kept.isTooLarge) return;
        this.#look(kept.whole);
        this.#end();
      },
    };
  }

  #rewriteWhole(body: Buffer): Buffer {
    if (!this.#look(body)) return body;
    const hidden = this.#hide(body);
    this.#end();
    return hidden;
  }

  #rewriteEvent(event: Buffer): Buffer {
    const found = dataOf(event);
    if (found === null) return event;
    const { text } = found;
    if (!this.#look(text)) return event;
    // With neither logarithms nor ids asked for the server would not have sent it.
    const { asksLogprobs, asksTokenIds, usageInAll } = this.#parts.asking;
    const isOwn = !asksLogprobs && !asksTokenIds && this.#parts.route === 'chat';
    if (isOwn && carriesNothing(text, usageInAll)) return NOTHING;
    return found.having(this.#hide(text));
  }

  #hide(text: Buffer): Buffer {
    const { shape } = this.#parts;
    return shape === null ? text : hide(text, this.#added, shape);
  }

  /** @returns false where it is not JSON */
  #look(text: Buffer): boolean {
    let answer: unknown;
    try {
      answer = parsedTolerantly(text.toString('utf8'));
    } catch {
      this.#parts.onDoubt('answer');
      return false;
    }
    if (typeof answer !== 'object' || answer === null) return false;
    this.#tally.push(answer);
    // The last one too: it may be written otherwise.
    if (this.#learned.push(answer) > MAX_LEARNED_EVENTS) this.#learned.splice(MAX_LEARNED_EVENTS / 2, 1);
    return true;
  }

  #end(): void {
    const { asking, shape, onShape, onSample, nowMs, nowUs } = this.#parts;
    if (shape === null && !asking.asksLogprobs) {
      const learned = learnShape(this.#learned);
      if (learned !== null) onShape(learned);
    }
    const told = this.#tally.sample();
    if (told === null) return;
    const endMs = nowMs();
    onSample({
      ...told,
      timeUs: nowUs(),
      firstByteUs: microseconds(this.#firstByteMs - this.#beganMs),
      totalUs: microseconds(endMs - this.#beganMs),
      outputs: [],
      replay: this.#replay(),
    });
  }

  #replay(): Replay | undefined {
    const { tokens } = this.#tally;
    const { path, body, headers } = this.#parts.request;
    const empty = { prompt: [], completion: [], body: Buffer.alloc(0), path: '', contentType: '', headerLength: 0 };
    const { isText } = this.#parts.asking;
    if (tokens !== null && isText) return { ...empty, ...tokens };
    if (body.length > MAX_REPLAY_BODY_BYTES) return undefined;
    const contentType = headers.find(([name]) => name === 'content-type')?.[1] ?? '';
    // A query is for what stands before the server, and may hold a key.
    return { ...empty, body, path: path.split('?', 1)[0] ?? '', contentType };
  }
}

function microseconds(ms: number): number {
  return Math.min(0xffff_ffff, Math.max(0, Math.round(ms * 1000)));
}

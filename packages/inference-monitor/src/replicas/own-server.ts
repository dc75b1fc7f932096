import type { Replay } from '@sentinel/contracts/sentinel/v1/inference.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type Algorithm, digestOf, type Hash, type ModelAnswer } from './digest.js';
import { MAX_PROMPTS } from './judge/repeatability.js';
import type { QuestionBudget } from './talk/budget.js';
import { type Question, TensorQuestion } from './tensor-question.js';
import type { UpstreamHttp } from './upstream/http.js';
import { configHashOf, type Identity, identify } from './upstream/identity.js';
import { replayTensors } from './upstream/kserve.js';
import { ModelLoads } from './upstream/model-loads.js';
import { type OpenAiAnswer, OpenAiServer } from './upstream/openai.js';
import { isPure } from './upstream/pure-models.js';

/** Requests that run beside a question, so that it shares its batch. */
export const CROWD = 8;

/** Tokens of each of them: cheap, and enough to be there for all of a canary. */
const CROWD_TOKENS = 16;

/** An answer with its digest. */
export interface Digested extends ModelAnswer {
  /** Lower-case hexadecimal digits. */
  readonly digest: string;
}

/** What a library in the server told of it; '' = nothing did. */
export interface Told {
  readonly configHash: string;
  readonly model: string;
}

export interface OwnServerParts {
  readonly http: UpstreamHttp;
  readonly hash: Hash;
  readonly algorithm: Algorithm;
  readonly budget: QuestionBudget;
  readonly told: () => Told;
  /** Models of which the operator says that they compute from the request and their weights alone. */
  readonly pureModels: readonly string[];
  /** It was started anew, or another model was loaded. */
  readonly onRestart: () => void;
  readonly nowMs: () => number;
}

/** The inference server beside this monitor: who it is, and what it answers. */
export class OwnServer {
  readonly #parts: OwnServerParts;
  readonly #openai: OpenAiServer;
  #identity: Identity | null = null;
  /** null = it has answered nothing yet. */
  #fingerprint: string | null = null;
  #away = false;
  readonly #loads: ModelLoads;
  readonly #recent = new Map<string, { readonly answer: Promise<Digested>; readonly atMs: number }>();

  constructor(parts: OwnServerParts) {
    this.#parts = parts;
    this.#openai = new OpenAiServer(parts.http);
    this.#loads = new ModelLoads(parts.http);
  }

  get identity(): Identity | null {
    return this.#identity;
  }

  get model(): string {
    const { model } = this.#parts.told();
    return model === '' ? (this.#identity?.model ?? '') : model;
  }

  /** Whether it is asked itself for what this model answered: of adapters and of a second model it is not. @param model '' = not told */
  serves(model: string): boolean {
    const own = this.#identity?.model ?? '';
    return model === '' || own === '' || model === own;
  }

  /** '' = comparable with nobody, or not known yet. */
  get configHash(): string {
    const { configHash } = this.#parts.told();
    return configHash === '' ? this.serverHash : this.#hashOf(configHash);
  }

  /** The same without what a library in it told; '' = not known yet. */
  get serverHash(): string {
    return this.#identity?.api === 'openai' && this.#fingerprint === null ? '' : this.#hashOf('');
  }

  #hashOf(told: string): string {
    return configHashOf(this.#identity, this.#fingerprint ?? '', told, this.#parts.algorithm);
  }

  /** Looks whether it is there, and whether it is still the same. A server that is only slow is. */
  async look(): Promise<void> {
    const { http, onRestart } = this.#parts;
    try {
      const now = await identify(http);
      const before = this.#identity;
      this.#identity = now;
      if (before !== null && (this.#away || now?.facts !== before.facts)) this.#restarted(onRestart);
      this.#away = false;
    } catch (error) {
      if (SentinelError.from(error).code === 'UNAVAILABLE') this.#away = true;
    }
  }

  /**
   * @param freshMs how old an answer may be; 0 = it is computed for this question
   * @throws SentinelError
   */
  canary(prompt: string, maxTokens: number, freshMs: number): Promise<Digested> {
    const { nowMs } = this.#parts;
    const key = `${maxTokens} ${this.model} ${prompt}`;
    const recent = this.#recent.get(key);
    if (recent !== undefined && nowMs() - recent.atMs < freshMs) return recent.answer;
    const answer = this.#ask(1, () => this.#openai.canary(this.#named(), prompt, maxTokens));
    this.#recent.delete(key);
    this.#recent.set(key, { answer, atMs: nowMs() });
    // One that failed is not the answer of those who come later.
    answer.catch(() => {
      if (this.#recent.get(key)?.answer === answer) this.#recent.delete(key);
    });
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > MAX_PROMPTS && oldest !== undefined) this.#recent.delete(oldest);
    return answer;
  }

  /** @throws SentinelError */
  replay(replay: Replay): Promise<Digested> {
    const { http } = this.#parts;
    if (this.#identity?.api === 'kserve') return this.#ask(1, () => replayTensors(http, replay));
    return this.#ask(1, () => this.#openai.replay(this.#named(), replay));
  }

  /** A request of a user, to be put to this server first and then to others. */
  question(replay: Replay): Question {
    const { http, onRestart, pureModels } = this.#parts;
    if (this.#identity?.api !== 'kserve') return { replay, subject: '', isPure: true, ask: () => this.replay(replay) };
    return new TensorQuestion(replay, {
      ask: (pinned) => this.#ask(1, () => replayTensors(http, pinned)),
      isReloaded: (path) => this.#loads.isReloaded(path),
      isPure: (path) => isPure(http, path, pureModels),
      onReloaded: onRestart,
    });
  }

  /** The same question while others run. @throws SentinelError */
  async crowded(question: () => Promise<Digested>, replay?: Replay): Promise<Digested> {
    const { http, budget, nowMs } = this.#parts;
    if (!budget.take(CROWD, nowMs())) throw exhausted();
    const one = (i: number): Promise<unknown> =>
      this.#identity?.api === 'kserve' && replay !== undefined
        ? replayTensors(http, replay)
        : this.#openai.canary(this.#named(), `${i} `.repeat(1 + 7 * i), CROWD_TOKENS);
    const crowd = Array.from({ length: CROWD }, (_, i) => one(i));
    const [answer] = await Promise.all([question(), Promise.allSettled(crowd)]);
    return answer;
  }

  async #ask<Given extends ModelAnswer | OpenAiAnswer>(
    questions: number,
    ask: () => Promise<Given>,
  ): Promise<Given & { readonly digest: string }> {
    const { budget, hash, nowMs } = this.#parts;
    if (!budget.take(questions, nowMs())) throw exhausted();
    const answer = await ask();
    if ('fingerprint' in answer && answer.fingerprint !== undefined) this.#take(answer.fingerprint);
    return { ...answer, digest: digestOf(hash, answer) };
  }

  #take(fingerprint: string): void {
    const before = this.#fingerprint;
    this.#fingerprint = fingerprint;
    if (before !== null && before !== fingerprint) this.#restarted(this.#parts.onRestart);
  }

  #restarted(onRestart: () => void): void {
    this.#recent.clear();
    onRestart();
  }

  #named(): string {
    const { model } = this;
    if (model === '') throw new SentinelError({ code: 'UNAVAILABLE', message: 'the server has named no model yet' });
    return model;
  }
}

function exhausted(): SentinelError {
  const message = 'comparisons have used up their share of the requests';
  return new SentinelError({
    code: 'RESOURCE_EXHAUSTED',
    message,
    hint: 'More come with more requests, or with time.',
  });
}

import type { Answer } from '@sentinel/contracts/sentinel/v1/inference.js';
import {
  type AskReplicaRequest,
  type AskReplicaResponse,
  ReplicaServiceService,
} from '@sentinel/contracts/sentinel/v1/replica.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type ServiceEntry, unary } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import { type About, NOT_COMPARABLE } from './about.js';
import { type Asked, checkQuestion } from './check-question.js';
import { type Configured, isComparable } from './comparable.js';

/** Questions of others that are answered at once; more are sent away. */
const MAX_AT_ONCE = 4;

/** Of one replica in the time between two canaries, and at most in a minute; what has to be computed counts as twenty. */
const MAX_OF_ONE = 600;
const COMPUTED = 20;
const MINUTE_MS = 60_000;

/** Replicas whose questions are counted; the oldest make room. */
const MAX_ASKERS = 256;

/** What becomes of a question of another replica. */
export const ANSWERED = ['answered', 'failed', 'not_comparable', 'itself', 'busy', 'refused'] as const;
export type Answered = (typeof ANSWERED)[number];

export interface ReplicaServiceParts {
  readonly about: () => About;
  /** Time between two canaries, seconds. */
  readonly intervalS: number;
  /** @throws SentinelError where there is no answer */
  readonly answer: (asked: Asked) => Promise<Omit<Answer, 'id' | 'failure'>>;
  readonly onAnswered: (outcome: Answered) => void;
  readonly nowMs: () => number;
  readonly log: Logger;
}

/** Answers monitors of other replicas. */
export class ReplicaService {
  readonly #parts: ReplicaServiceParts;
  readonly #askers = new Map<string, { count: number; sinceMs: number }>();
  #running = 0;

  constructor(parts: ReplicaServiceParts) {
    this.#parts = parts;
  }

  entry(): ServiceEntry {
    return {
      definition: ReplicaServiceService,
      implementation: { askReplica: unary((request: AskReplicaRequest) => this.#ask(request), this.#parts.log) },
      roles: { AskReplica: ['monitor', 'service'] },
    };
  }

  async #ask(request: AskReplicaRequest): Promise<AskReplicaResponse> {
    const { about, onAnswered } = this.#parts;
    try {
      const asked = checkQuestion(request);
      this.#admit(request.replica, asked.$case === 'canary' || asked.$case === 'replay' ? COMPUTED : 1);
      const own = about();
      if (request.replica === own.replica) return this.#none(request, 'itself', 'this replica asks itself');
      if (!isComparable(configuredOf(request), own, asked.$case))
        return this.#none(request, 'not_comparable', NOT_COMPARABLE);
      this.#running += 1;
      try {
        return await this.#answer(request, asked);
      } finally {
        this.#running -= 1;
      }
    } catch (error) {
      onAnswered(SentinelError.from(error).code === 'RESOURCE_EXHAUSTED' ? 'busy' : 'refused');
      throw error;
    }
  }

  async #answer(request: AskReplicaRequest, asked: Asked): Promise<AskReplicaResponse> {
    const { answer, onAnswered } = this.#parts;
    try {
      const given = await answer(asked);
      onAnswered('answered');
      return this.#response({ ...given, id: request.question?.id ?? 0n, failure: '' }, asked);
    } catch (error) {
      return this.#none(request, 'failed', SentinelError.from(error).sentence);
    }
  }

  #none({ question }: AskReplicaRequest, outcome: Answered, failure: string): AskReplicaResponse {
    this.#parts.onAnswered(outcome);
    const nothing = { digest: Buffer.alloc(0), values: [], count: 0, tokens: [] };
    return this.#response({ ...nothing, id: question?.id ?? 0n, failure }, question?.body);
  }

  #response(answer: Answer, asked: Asked | undefined): AskReplicaResponse {
    const { node, gpus, replica, repeatable, contradictions, sinceUs, weights } = this.#parts.about();
    return {
      ...{ answer, node, gpus: [...gpus], replica, contradictions, weights: Buffer.from(weights, 'hex') },
      sinceUs: BigInt(sinceUs),
      repeatable: asked?.$case === 'replay' ? repeatable.replay : repeatable.canary,
    };
  }

  /** @throws SentinelError RESOURCE_EXHAUSTED */
  #admit(replica: string, cost: number): void {
    const { intervalS } = this.#parts;
    const nowMs = this.#parts.nowMs();
    const periodMs = Math.min(MINUTE_MS, 1000 * intervalS);
    const known = this.#askers.get(replica);
    const asker = known === undefined || nowMs - known.sinceMs >= periodMs ? { count: 0, sinceMs: nowMs } : known;
    asker.count += cost;
    this.#askers.delete(replica);
    this.#askers.set(replica, asker);
    const [oldest] = this.#askers.keys();
    if (this.#askers.size > MAX_ASKERS && oldest !== undefined) this.#askers.delete(oldest);
    if (asker.count > MAX_OF_ONE)
      throw busy(`${replica} asks more than ${MAX_OF_ONE / COMPUTED} questions in ${periodMs} ms`);
    if (this.#running >= MAX_AT_ONCE) throw busy(`${MAX_AT_ONCE} questions are being answered`);
  }
}

function configuredOf({ configHash, serverHash, model }: AskReplicaRequest): Configured {
  const told = Buffer.from(configHash).toString('hex');
  return {
    configHash: told,
    serverHash: serverHash.length === 0 ? told : Buffer.from(serverHash).toString('hex'),
    model,
  };
}

function busy(message: string): SentinelError {
  return new SentinelError({ code: 'RESOURCE_EXHAUSTED', message, hint: 'Ask later.' });
}

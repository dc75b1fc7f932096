import type { Answer, Replay } from '@sentinel/contracts/sentinel/v1/inference.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Finding } from '../analysers/finding.js';
import type { Sample } from '../analysers/sample.js';
import type { Weights as Checksums } from '../analysers/weights.js';
import { SoftWatch } from './judge/soft-watch.js';
import { Standing } from './judge/standing.js';
import type { OwnServer } from './own-server.js';
import { type Asking, BitRounds } from './rounds/bit-rounds.js';
import { BlockExchange, type BlockMeans } from './rounds/block-exchange.js';
import { Reservoir, type Sampled, sampledOf } from './rounds/sampled.js';
import { WeightRounds, Weights } from './rounds/weight-rounds.js';
import type { ShownFile } from './shown-file.js';
import type { About } from './talk/about.js';
import type { QuestionBudget } from './talk/budget.js';
import type { Asked } from './talk/check-question.js';
import type { PeerAnswer, Peers } from './talk/peers.js';

/** The server is looked at so often: one that was started anew is noticed, as a start takes longer. */
const LOOK_MS = 10_000;

/** After a lost round the next one, of another prompt, comes so soon; the engine takes one accusation in ten seconds. */
const ASK_AGAIN_MS = 12_000;

/** Rounds that are asked for because of one that was lost. */
const ASKED_ROUNDS = 3;

export interface ReplicasConfig {
  readonly canary: {
    readonly enabled: boolean;
    readonly interval_s: number;
    readonly max_tokens: number;
    readonly hard: 'auto' | 'never';
  };
  readonly replay: { readonly interval_s: number };
}

export interface ReplicasParts {
  readonly config: ReplicasConfig;
  readonly prompts: readonly string[];
  readonly place: Pick<About, 'replica' | 'node'>;
  /** By worker. */
  readonly gpus: () => readonly string[];
  readonly server: OwnServer;
  readonly peers: Pick<Peers, 'ask'>;
  readonly shown: ShownFile;
  readonly budget: QuestionBudget;
  readonly blocks: BlockMeans;
  readonly onFinding: (finding: Finding) => void;
  /** A kind of round that could not be made, and why. */
  readonly onSkipped: (kind: RoundKind, error: SentinelError) => void;
  readonly onRound: (kind: RoundKind) => void;
  readonly nowMs: () => number;
  readonly nowUs: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
}

export type RoundKind = 'canary' | 'replay' | 'weights' | 'block';

/** Compares what this replica computes and holds with others: when which round is due, and what answers theirs. One round at a time. */
export class Replicas {
  readonly #parts: ReplicasParts;
  readonly #standing = new Standing();
  readonly #weights = new Weights();
  readonly #reservoir: Reservoir;
  readonly #canaries: BitRounds;
  readonly #replays: BitRounds;
  readonly #ofUsers = new SoftWatch('sample');
  readonly #weightRounds: WeightRounds;
  readonly #exchange: BlockExchange;
  #lookMs = Number.NEGATIVE_INFINITY;
  #canaryMs = Number.NEGATIVE_INFINITY;
  #replayMs = Number.NEGATIVE_INFINITY;
  #askedLeft = 0;
  #sinceUs: number;
  #configHash = '';
  #running: Promise<void> | null = null;

  constructor(parts: ReplicasParts) {
    this.#parts = parts;
    const { shown, nowUs, peers, blocks, server } = parts;
    this.#sinceUs = nowUs();
    const about = () => this.about;
    const weightsUs = () => this.#weights.timeUs;
    const bits = parts.config.canary.hard === 'auto';
    const look = () => server.look();
    const common = { standing: this.#standing, about, bits, weightsUs, look, nowUs };
    this.#reservoir = new Reservoir(parts.random);
    this.#canaries = new BitRounds({ ...common, kind: 'canary', repeatability: () => shown.canary });
    this.#replays = new BitRounds({ ...common, kind: 'replay', repeatability: () => shown.replay });
    this.#weightRounds = new WeightRounds({ ...common, peers, weights: this.#weights });
    this.#exchange = new BlockExchange(blocks, peers);
  }

  get about(): About {
    const { place, gpus, server, shown, config } = this.#parts;
    const allowed = config.canary.hard === 'auto';
    return {
      ...place,
      gpus: gpus(),
      model: server.model,
      configHash: server.configHash,
      serverHash: server.serverHash,
      repeatable: {
        canary: allowed && shown.canary.phase === 'repeatable',
        replay: allowed && shown.replay.phase === 'repeatable',
      },
      contradictions: shown.canary.contradictions + shown.replay.contradictions,
      sinceUs: this.#sinceUs,
      weights: this.#weights.all,
    };
  }

  /** Others with which it agreed, bit for bit, since its server was started. */
  agreedWith(kind: 'canary' | 'replay'): number {
    return this.#standing.others(kind);
  }

  /** The server was started anew, or holds other weights on purpose: whether it agrees has to be seen anew. */
  readonly restarted = (): void => {
    this.#sinceUs = this.#parts.nowUs();
    this.#standing.restart();
    this.#weightRounds.restart();
    this.#canaries.restart();
    this.#replays.restart();
    this.#ofUsers.restart();
    this.#weights.forget();
  };

  sampled(sample: Pick<Sample, 'blocks' | 'model'>, replay: Replay): void {
    if (!this.#parts.server.serves(sample.model)) return;
    const sampled = sampledOf(sample, replay);
    if (sampled !== null) this.#reservoir.offer(sampled);
  }

  /** Requests of users that passed. */
  served(requests: number): void {
    this.#parts.budget.served(requests);
  }

  weights(report: Checksums): void {
    if (report.reloaded) this.restarted();
    this.#weights.take(report);
  }

  /** To be called every second. Begins what is due, unless a round is under way. */
  tick(): void {
    this.#running ??= this.#due().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when no round is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Answers another replica. @throws SentinelError where there is no answer */
  async answer(asked: Asked): Promise<Omit<Answer, 'id' | 'failure'>> {
    const { server, config, blocks } = this.#parts;
    const nothing = { digest: Buffer.alloc(0), values: [], count: 0, tokens: [] };
    switch (asked.$case) {
      case 'canary': {
        const { prompt, maxTokens, fresh } = asked.value;
        const freshMs = fresh ? 0 : config.canary.interval_s * 1000;
        return wireAnswer(await server.canary(prompt, maxTokens, freshMs));
      }
      case 'replay':
        return wireAnswer(await server.replay(asked.value));
      case 'weights': {
        const digest = this.#weights.of(asked.value.worker);
        if (digest === '') throw none('the weights were not looked at yet');
        return { ...nothing, digest: Buffer.from(digest, 'hex') };
      }
      case 'block': {
        const mean = blocks.blockMean(asked.value.statistic, Number(asked.value.block));
        if (mean === null) throw none('there is no such block');
        return { ...nothing, values: [mean.mean], count: mean.requests };
      }
    }
  }

  async #due(): Promise<void> {
    const { config, nowMs, nowUs, server } = this.#parts;
    if (nowMs() - this.#lookMs >= LOOK_MS) {
      this.#lookMs = nowMs();
      await server.look();
    }
    this.#useConfiguration();
    const { canary, replay } = config;
    const interval = this.#askedLeft > 0 ? Math.min(ASK_AGAIN_MS, canary.interval_s * 1000) : canary.interval_s * 1000;
    if (canary.enabled && server.identity?.api === 'openai' && nowMs() - this.#canaryMs >= interval)
      await this.#round('canary', () => this.#canary());
    const replayDue = replay.interval_s > 0 && nowMs() - this.#replayMs >= replay.interval_s * 1000;
    if (replayDue && !this.#reservoir.isEmpty && server.identity !== null)
      await this.#round('replay', () => this.#replay());
    if (this.#weightRounds.due) await this.#round('weights', () => this.#weightRounds.run());
    const block = this.#exchange.due(nowUs());
    if (block !== null)
      await this.#round('block', async () => {
        await this.#exchange.run(block);
        return [];
      });
  }

  /** With another configuration everything is seen anew. */
  #useConfiguration(): void {
    const { shown, server } = this.#parts;
    const { configHash } = server;
    if (configHash === '' || configHash === this.#configHash) return;
    if (this.#configHash !== '') this.restarted();
    this.#configHash = configHash;
    shown.use(configHash);
  }

  async #round(kind: RoundKind, run: () => Promise<readonly Finding[]>): Promise<void> {
    const { onFinding, onSkipped, onRound, shown, log } = this.#parts;
    try {
      const findings = await run();
      onRound(kind);
      for (const finding of findings) onFinding(finding);
      if (findings.some(({ compared, severity }) => compared !== undefined && severity !== 'INFO'))
        this.#askedLeft = this.#askedLeft === 0 ? ASKED_ROUNDS : this.#askedLeft;
    } catch (error) {
      onSkipped(kind, SentinelError.from(error));
    }
    try {
      shown.save();
    } catch (error) {
      log.error({ err: error }, 'what the server was shown to be cannot be kept over a restart');
    }
  }

  async #canary(): Promise<readonly Finding[]> {
    const { prompts, config, server, peers, nowMs, nowUs } = this.#parts;
    this.#canaryMs = nowMs();
    const asked = this.#askedLeft > 0;
    if (asked) this.#askedLeft -= 1;
    const { interval_s, max_tokens: maxTokens } = config.canary;
    // By the clock, so that all replicas ask the same in the same interval, and one answer serves all.
    const slot = Math.floor(nowUs() / 1e6 / (asked ? ASK_AGAIN_MS / 1000 : interval_s));
    const prompt = prompts[slot % prompts.length] ?? '';
    const own = () => server.canary(prompt, maxTokens, 0);
    const result = await this.#canaries.run({
      ...{ key: prompt, asked, own, subject: () => '', isPure: () => true },
      crowded: () => server.crowded(own),
      others: (fresh) => this.#others({ $case: 'canary', value: { prompt, maxTokens, fresh } }, peers),
    });
    // What is known of the server's configuration may be known only now.
    this.#useConfiguration();
    return result.findings;
  }

  async #replay(): Promise<readonly Finding[]> {
    const { server, peers, nowMs, nowUs, place } = this.#parts;
    this.#replayMs = nowMs();
    const sampled = this.#reservoir.take();
    if (sampled === null) return [];
    const question = server.question(sampled.replay);
    const own = () => question.ask();
    const asking: Asking = {
      ...{ key: '', asked: false, own, subject: () => question.subject, isPure: () => question.isPure },
      crowded: () => server.crowded(own, sampled.replay),
      others: async () => {
        const { replay } = question;
        return replay === null ? [] : this.#others({ $case: 'replay', value: replay }, peers);
      },
    };
    const { findings, others } = await this.#replays.run(asking);
    return [...findings, ...(await this.#ofUser(sampled, others, place.replica, nowUs()))];
  }

  /** What the user got, against what others compute of it: a fault that came and went is seen in nothing else. */
  async #ofUser({ logprobs }: Sampled, others: readonly PeerAnswer[], replica: string, timeUs: number) {
    if (logprobs.length === 0) return [];
    const valued = others.map(({ replica: other, sinceUs, answer: { values } }) => ({
      ...{ replica: other, sinceUs, tokens: [], values: values.slice(-logprobs.length) },
    }));
    const asked = { subject: '', unit: 'log_probability', timeUs, again: null } as const;
    return this.#ofUsers.judge({ replica, sinceUs: this.#sinceUs, tokens: [], values: logprobs }, valued, asked);
  }

  async #others(asked: Asked, peers: Pick<Peers, 'ask'>): Promise<PeerAnswer[]> {
    const answers = await peers.ask(asked);
    return this.#parts.config.canary.hard === 'auto'
      ? answers
      : answers.map((answer) => ({ ...answer, repeatable: false }));
  }
}

function wireAnswer({
  digest,
  values,
  tokens,
}: Awaited<ReturnType<OwnServer['canary']>>): Omit<Answer, 'id' | 'failure'> {
  return { digest: Buffer.from(digest, 'hex'), values: [...values], tokens: [...tokens], count: tokens.length };
}

function none(message: string): SentinelError {
  return new SentinelError({ code: 'NOT_FOUND', message });
}

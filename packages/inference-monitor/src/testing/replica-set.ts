import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReplicaServiceClient } from '@sentinel/contracts/sentinel/v1/replica.js';
import { TEST_TOKEN } from '@sentinel/monitor-kit/testing/engine-stub';
import { ModelServer } from '@sentinel/monitor-kit/testing/model-server';
import { createClient } from '@sentinel/service-kit/grpc-client';
import { type GrpcServer, startGrpcServer } from '@sentinel/service-kit/grpc-server';
import { silentLogger } from '@sentinel/service-kit/logging';
import type { Finding } from '../analysers/finding.js';
import { hashBy } from '../replicas/digest.js';
import { OwnServer } from '../replicas/own-server.js';
import { promptsOf } from '../replicas/prompts.js';
import { Replicas, type ReplicasConfig, type RoundKind } from '../replicas/replicas.js';
import type { BlockMeans } from '../replicas/rounds/block-exchange.js';
import { ShownFile } from '../replicas/shown-file.js';
import { QuestionBudget } from '../replicas/talk/budget.js';
import { type AskedOutcome, Peers } from '../replicas/talk/peers.js';
import { ReplicaService } from '../replicas/talk/replica-service.js';
import { UpstreamHttp } from '../replicas/upstream/http.js';

/** Between two canaries, seconds. */
export const INTERVAL_S = 60;

const NO_BLOCKS: BlockMeans = {
  statistics: [],
  newestBlock: () => -1,
  blockMean: () => null,
  setCohortMeans: () => undefined,
};

/** One replica of a model with its monitor's comparisons, on a clock of the test. */
export class TestReplica {
  readonly name: string;
  readonly model: ModelServer;
  readonly findings: Finding[] = [];
  readonly outcomes: AskedOutcome[] = [];
  readonly skipped: [RoundKind, string][] = [];
  readonly shownFile: string;
  /** As a library in this server would tell it, otherwise than in those of the set. */
  libraryHash: string | undefined;
  replicas!: Replicas;
  shown!: ShownFile;
  #server: GrpcServer | undefined;

  constructor(name: string, model: ModelServer) {
    this.name = name;
    this.model = model;
    this.shownFile = join(mkdtempSync(join(tmpdir(), 'sentinel-replica-')), 'replica.json');
  }

  get address(): string {
    return this.#server?.address ?? '';
  }

  /** What was told against this replica, INFO left out. */
  get accusations(): Finding[] {
    return this.findings.filter(({ severity }) => severity !== 'INFO');
  }

  async begin(set: ReplicaSet, config: ReplicasConfig, blocks: BlockMeans): Promise<void> {
    const nowMs = () => set.nowMs;
    const budget = new QuestionBudget(INTERVAL_S, nowMs());
    const hash = await hashBy('xxhash');
    const told = () => ({ configHash: this.libraryHash ?? set.libraryHash, model: '' });
    const onRestart = () => this.replicas.restarted();
    const http = new UpstreamHttp(this.model.url, '');
    const server = new OwnServer({
      ...{ http, hash, algorithm: 'xxhash', budget, told, onRestart, nowMs, pureModels: [] },
    });
    this.shown = new ShownFile(this.shownFile);
    const about = () => this.replicas.about;
    this.replicas = new Replicas({
      ...{ config, prompts: promptsOf(''), place: { replica: this.name, node: `node-${this.name}` } },
      ...{ gpus: () => [`GPU-${this.name}`], server, peers: set.peersOf(this), shown: this.shown, budget, blocks },
      onFinding: (finding) => this.findings.push(finding),
      onSkipped: (kind, error) => this.skipped.push([kind, error.sentence]),
      onRound: () => undefined,
      ...{ nowMs, nowUs: () => set.nowMs * 1000, random: () => 0, log: silentLogger() },
    });
    const log = silentLogger();
    const answer = (asked: Parameters<Replicas['answer']>[0]) => this.replicas.answer(asked);
    const service = new ReplicaService({
      about,
      answer,
      intervalS: INTERVAL_S,
      onAnswered: () => undefined,
      nowMs,
      log,
    });
    this.#server = await startGrpcServer({
      ...{ address: '127.0.0.1:0', addressKey: 'test', tls: null, insecure: false, log },
      ...{ tokens: { operator: '', service: TEST_TOKEN }, services: [service.entry()], maxMessageBytes: 2 ** 21 },
    });
  }

  async end(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }
}

export class ReplicaSet {
  nowMs = 1_700_000_000_000;
  /** As a library in the servers would tell it; '' = there is none. */
  libraryHash = '';
  readonly all: TestReplica[] = [];
  readonly #peers: Peers[] = [];

  static async start(
    names: readonly string[],
    { hard = 'auto', blocks = NO_BLOCKS }: { hard?: 'auto' | 'never'; blocks?: BlockMeans } = {},
  ): Promise<ReplicaSet> {
    const set = new ReplicaSet();
    const config = {
      canary: { enabled: true, interval_s: INTERVAL_S, max_tokens: 8, hard },
      replay: { interval_s: 60 },
    };
    for (const [i, name] of names.entries()) {
      const model = new ModelServer(i + 1);
      await model.start();
      const replica = new TestReplica(name, model);
      set.all.push(replica);
      await replica.begin(set, config, blocks);
    }
    return set;
  }

  peersOf(replica: TestReplica): Peers {
    const peers = new Peers({
      endpoints: ['replicas:1'],
      connect: (address) =>
        createClient(ReplicaServiceClient, { address: this.#at(address), tls: null, token: TEST_TOKEN }),
      // One name for all of them, itself too, as a headless Service has.
      lookUp: async () => this.all.map((_, i) => `10.0.0.${i + 1}`),
      about: () => replica.replicas.about,
      onAsked: (outcome) => replica.outcomes.push(outcome),
      onAway: () => undefined,
      nowMs: () => this.nowMs,
    });
    this.#peers.push(peers);
    return peers;
  }

  of(name: string): TestReplica {
    const found = this.all.find((replica) => replica.name === name);
    if (found === undefined) throw new Error(`no replica ${name}`);
    return found;
  }

  /** So many intervals pass. */
  async rounds(count: number, intervalS = INTERVAL_S): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      this.nowMs += intervalS * 1000;
      for (const { replicas } of this.all) {
        replicas.tick();
        await replicas.idle();
      }
    }
  }

  async stop(): Promise<void> {
    for (const peers of this.#peers) peers.close();
    await Promise.all(this.all.map((replica) => replica.end()));
    await Promise.all(this.all.map(({ model }) => model.stop()));
  }

  #at(address: string): string {
    return this.all[Number(/10\.0\.0\.(\d+)/.exec(address)?.[1]) - 1]?.address || '127.0.0.1:1';
  }
}

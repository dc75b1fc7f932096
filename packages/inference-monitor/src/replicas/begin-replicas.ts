import { lookup } from 'node:dns/promises';
import { join } from 'node:path';
import { ReplicaServiceClient } from '@sentinel/contracts/sentinel/v1/replica.js';
import type { Clock } from '@sentinel/service-kit/clock';
import type { InferenceMonitorConfig } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type ClientTls, createClient } from '@sentinel/service-kit/grpc-client';
import { startGrpcServer } from '@sentinel/service-kit/grpc-server';
import type { StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Registry } from '@sentinel/service-kit/metrics';
import type { Finding } from '../analysers/finding.js';
import { replicaOf, upstreamOf } from '../front/settings.js';
import type { Server } from '../grouping/server.js';
import { KeptUp } from '../kept-up.js';
import type { Devices } from '../report/devices.js';
import { hashBy } from './digest.js';
import { OwnServer } from './own-server.js';
import { promptsOf } from './prompts.js';
import { ReplicaMetrics } from './replica-metrics.js';
import { Replicas } from './replicas.js';
import type { BlockMeans } from './rounds/block-exchange.js';
import { ShownFile } from './shown-file.js';
import type { About } from './talk/about.js';
import { QuestionBudget } from './talk/budget.js';
import { Peers } from './talk/peers.js';
import { ReplicaService } from './talk/replica-service.js';
import { UpstreamHttp } from './upstream/http.js';

/** Names in the configuration. */
const LISTEN_KEY = 'inference_monitor.replicas.listen_address';
const TLS_KEY = 'inference_monitor.tls';

/** A request of a user that is computed again has at most 1 MiB, or 131,072 tokens. */
const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;

/** TLS wants a name where the address is a number; whose certificate it is, is known by its role. */
const ANY_NAME = 'inference-monitor';

const TICK_MS = 1_000;

/** The same replica away, or the same kind of round not made: said again after so long. */
const SAID_MS = 600_000;

export interface ReplicasShell {
  readonly config: () => InferenceMonitorConfig;
  readonly registry: Registry;
  readonly blocks: BlockMeans;
  readonly devices: Devices;
  /** The library in the server, while it is connected. */
  readonly library: () => Server | undefined;
  readonly onFinding: (server: Server, finding: Finding) => void;
  readonly insecure: boolean;
  readonly stack: StopStack;
  readonly log: Logger;
  readonly clock: Clock;
}

export interface BegunReplicas {
  readonly replicas: Replicas;
  /** Where other monitors are answered; null = nowhere. */
  readonly address: string | null;
}

/** Begins to compare this replica with others, and to answer them. @returns null where no inference server is known */
export async function beginReplicas(shell: ReplicasShell): Promise<BegunReplicas | null> {
  const { config, registry, blocks, devices, library, onFinding, stack, log, clock } = shell;
  const settings = config();
  const upstream = upstreamOf(settings);
  if (upstream === '' || !settings.enabled) return null;
  const { algorithm } = settings.fingerprinting;
  const nowMs = () => clock.monotonicMs();
  const budget = new QuestionBudget(settings.canary.interval_s, nowMs());
  const http = new UpstreamHttp(new URL(upstream).origin, settings.upstream_api_key);
  const hash = await hashBy(algorithm);
  const server: OwnServer = new OwnServer({
    ...{ http, hash, algorithm, budget, nowMs, pureModels: settings.replay.pure_models },
    told: () => ({ configHash: library()?.configHash ?? '', model: library()?.model ?? '' }),
    onRestart: () => {
      log.info('the inference server was started anew: whether it agrees with others is seen anew');
      replicas.restarted();
    },
  });
  const shown = new ShownFile(join(settings.data_dir, settings.node_name, 'replica.json'));
  const metrics = new ReplicaMetrics(registry, {
    shown,
    agreedWith: (kind) => replicas.agreedWith(kind),
    refused: () => budget.refused,
  });
  const say = seldom(log, nowMs);
  const peers = new Peers({
    endpoints: settings.replicas.endpoints,
    connect: (address) => connect(address, config()),
    lookUp: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    about: () => replicas.about,
    onAsked: (outcome) => metrics.asked(outcome),
    onAway: (address, error) => say(`replica ${address}`, { address }, `a replica does not answer: ${error.sentence}`),
    nowMs,
  });
  stack.push('peers', () => peers.close());
  const replicas: Replicas = new Replicas({
    config: settings,
    prompts: promptsOf(settings.canary.prompts_file),
    place: { replica: replicaOf(settings, new URL(upstream)), node: settings.node_name },
    gpus: () => knownOf(devices.all(library() ?? UNKNOWN)),
    ...{ server, peers, shown, budget, blocks, nowMs, random: Math.random, log },
    onFinding: (finding) => onFinding(library() ?? serverOf(server, replicas.about), finding),
    nowUs: () => Number(clock.nowUs()),
    onSkipped: (kind, error) => {
      metrics.skipped(kind);
      say(`round ${kind}`, { round: kind }, `a round of comparison was not made: ${error.sentence}`);
    },
    onRound: (kind) => metrics.round(kind),
  });
  const listening = new KeptUp<{ readonly address: string | null }>({
    begin: async (part) => ({ address: await listen({ ...shell, stack: part }, replicas, metrics) }),
    onDown: (error) =>
      say('listen', {}, `monitors of other replicas are not answered: ${SentinelError.from(error).sentence}`),
  });
  stack.push('replica service', () => listening.stop());
  await listening.keepUp();
  const timer = setInterval(() => replicas.tick(), TICK_MS);
  stack.push('rounds', () => clearInterval(timer));
  return { replicas, address: listening.current?.address ?? null };
}

/** Devices of which one is not known are those of a CPU, or the only one of the node. */
function knownOf(gpus: readonly string[]): readonly string[] {
  return gpus.includes('') ? [] : gpus;
}

const UNKNOWN: Server = {
  ...{ replica: '', model: '', framework: '', configHash: '', dtype: '', gpus: [], libraryVersion: '' },
  ...{ testBuild: false, answers: false },
};

/** As far as it tells without a library in it. */
function serverOf({ identity, model }: OwnServer, { replica, configHash }: About): Server {
  return { ...UNKNOWN, replica, model, framework: identity?.framework ?? '', configHash };
}

/** @returns where, null = nowhere */
async function listen(shell: ReplicasShell, replicas: Replicas, metrics: ReplicaMetrics): Promise<string | null> {
  const { config, insecure, stack, log, clock } = shell;
  const { replicas: places, tls, service_token: service } = config();
  if (places.listen_address === '') return null;
  const answering = new ReplicaService({
    about: () => replicas.about,
    intervalS: config().canary.interval_s,
    answer: (asked) => replicas.answer(asked),
    onAnswered: (outcome) => metrics.answered(outcome),
    nowMs: () => clock.monotonicMs(),
    log,
  });
  const server = await startGrpcServer({
    address: places.listen_address,
    addressKey: LISTEN_KEY,
    tls: tls.enabled ? { files: filesOf(tls), keyPrefix: TLS_KEY, mutual: true } : null,
    insecure,
    tokens: { operator: '', service: tls.enabled ? '' : service },
    services: [answering.entry()],
    maxMessageBytes: MAX_MESSAGE_BYTES,
    onRefused: () => metrics.answered('refused'),
    log,
  });
  stack.push('replica service', () => server.stop());
  log.info({ listen: server.address }, 'answers monitors of other replicas');
  return server.address;
}

function connect(address: string, { tls, service_token: token }: InferenceMonitorConfig): ReplicaServiceClient {
  // A name may stand for many replicas, so that whoever answers proves to be a monitor, and not a name.
  const secured: ClientTls | null = tls.enabled
    ? { files: filesOf(tls), keyPrefix: TLS_KEY, serverName: '', serverRole: 'monitor' }
    : null;
  const to = { address, tls: secured, token: tls.enabled ? '' : token, maxMessageBytes: MAX_MESSAGE_BYTES };
  return createClient(ReplicaServiceClient, to, tls.enabled ? { 'grpc.ssl_target_name_override': ANY_NAME } : {});
}

function filesOf({ cert_file, key_file, ca_file }: InferenceMonitorConfig['tls']) {
  return { certFile: cert_file, keyFile: key_file, caFile: ca_file };
}

/** What is so for long is said now and then. */
function seldom(log: Logger, nowMs: () => number) {
  const said = new Map<string, number>();
  return (about: string, fields: object, sentence: string): void => {
    const last = said.get(about);
    if (last !== undefined && nowMs() - last < SAID_MS) return;
    said.delete(about);
    said.set(about, nowMs());
    const [oldest] = said.keys();
    if (said.size > 64 && oldest !== undefined) said.delete(oldest);
    log.warn(fields, sentence);
  };
}

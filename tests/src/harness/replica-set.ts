import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FLEET_KEY, OPERATOR_TOKEN, SERVICE_TOKEN } from '@sentinel/correlation-engine/testing';
import { freePort } from '@sentinel/test-kit';
import { BIN } from './paths.js';
import { Service } from './service.js';
import { until } from './until.js';

const HEALTH_TIMEOUT_MS = 2_000;
const LEADER_TIMEOUT_MS = 60_000;
const POLL_MS = 20;

type Section = Record<string, unknown>;

export interface Replica {
  readonly service: Service;
  /** host:port of each port; `link` is the one for the other replicas. */
  readonly grpc: string;
  readonly http: string;
  readonly metrics: string;
  readonly link: string;
  /** Its configuration file. */
  readonly config: string;
}

export interface ReplicaSetOptions {
  readonly folder: string;
  readonly count: number;
  /** Settings of replica `index`: its stores, at least. `link` is where it listens for the others. */
  readonly settings: (index: number, link: string) => Section | Promise<Section>;
  /** Program and environment in place of the product's. */
  readonly program?: { readonly bin: string; readonly env: (index: number) => NodeJS.ProcessEnv };
}

interface Health {
  readonly replica: { readonly name: string; readonly decides: boolean; readonly leader: string } | null;
}

/** Engines of one database, each the real process of its own. */
export class ReplicaSet {
  readonly all: readonly Replica[];

  private constructor(all: readonly Replica[]) {
    this.all = all;
  }

  /** Writes their configuration; no process yet. */
  static async prepare(options: ReplicaSetOptions): Promise<ReplicaSet> {
    const replicas: Replica[] = [];
    for (let index = 0; index < options.count; index += 1) replicas.push(await prepareOne(options, index));
    return new ReplicaSet(replicas);
  }

  /** Starts them one after the other: the first one decides. */
  static async start(options: ReplicaSetOptions): Promise<ReplicaSet> {
    const set = await ReplicaSet.prepare(options);
    try {
      for (const { service } of set.all) await service.start();
      // An engine that is alone is not called a replica.
      if (options.count > 1) await set.leader();
      return set;
    } catch (error) {
      await set.kill();
      throw error;
    }
  }

  at(index: number): Replica {
    const replica = this.all[index];
    if (replica === undefined) throw new RangeError(`there is no replica ${index}`);
    return replica;
  }

  /** Indexes of those that say of themselves that they decide. */
  async deciding(): Promise<number[]> {
    const health = await Promise.all(this.all.map(healthOf));
    return health.flatMap((each, index) => (each?.replica?.decides === true ? [index] : []));
  }

  /** The one that decides; waits for it. */
  async leader(timeoutMs = LEADER_TIMEOUT_MS): Promise<number> {
    const decides = async (): Promise<{ index: number } | null> => {
      const [index, ...others] = await this.deciding();
      return index === undefined || others.length > 0 ? null : { index };
    };
    return (await until('one replica decides', timeoutMs, decides, POLL_MS)).index;
  }

  /** Waits until replica `index` is a door: it decides, or reaches the one that does. */
  serves(index: number): Promise<unknown> {
    const { metrics } = this.at(index);
    const serving = async (): Promise<boolean> => (await gauge(metrics, 'sentinel_replica_serving')) === 1;
    return until(`replica ${index} serves`, LEADER_TIMEOUT_MS, serving, POLL_MS);
  }

  /** Agents that are connected to each. */
  activeStreams(): Promise<number[]> {
    return Promise.all(this.all.map(({ metrics }) => gauge(metrics, 'sentinel_grpc_active_streams')));
  }

  async stop(): Promise<void> {
    const ends = await Promise.allSettled(this.all.map(({ service }) => resumed(service).stop()));
    const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
    if (failures.length > 0) throw new AggregateError(failures, 'a replica did not stop in order');
  }

  /** Ends whatever runs, at once. */
  async kill(): Promise<void> {
    await Promise.all(this.all.map(({ service }) => service.end()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

function resumed(service: Service): Service {
  service.signal('SIGCONT');
  return service;
}

async function prepareOne({ folder, settings, program }: ReplicaSetOptions, index: number): Promise<Replica> {
  const next = async (): Promise<string> => `127.0.0.1:${await freePort()}`;
  const [grpc, http, metrics, link] = [await next(), await next(), await next(), await next()];
  const home = join(folder, `replica-${index}`);
  mkdirSync(home, { recursive: true });
  const section = {
    listen_address: grpc,
    http: { listen_address: http },
    metrics: { listen_address: metrics },
    tls: { enabled: false },
    mode: 'enforce',
    hmac_keys: { default: FLEET_KEY },
    operator_token: OPERATOR_TOKEN,
    service_token: SERVICE_TOKEN,
    audit_ledger_endpoint: '127.0.0.1:1',
    ...(await settings(index, link)),
  };
  const config = join(home, 'sentinel.yaml');
  // JSON is YAML.
  const text = JSON.stringify({ correlation_engine: section, logging: { format: 'json', level: 'info' } });
  writeFileSync(config, text, { mode: 0o600 });
  const service = new Service({
    name: `replica ${index}`,
    bin: program?.bin ?? BIN.engine,
    args: ['--config', config],
    readyFile: join(home, 'ready.json'),
    env: program?.env(index) ?? {},
  });
  return { service, grpc, http, metrics, link, config };
}

async function healthOf({ http }: Replica): Promise<Health | null> {
  try {
    const answer = await fetch(`http://${http}/health`, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    return (await answer.json()) as Health;
  } catch {
    return null;
  }
}

/** One sample of GET /metrics, 0 where there is none. */
async function gauge(address: string, name: string): Promise<number> {
  try {
    const answer = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    const line = (await answer.text()).split('\n').find((candidate) => candidate.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1) ?? 0);
  } catch {
    return 0;
  }
}

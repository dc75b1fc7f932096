import { fileURLToPath } from 'node:url';
import { TestLedger } from '@sentinel/correlation-engine/testing';
import { type TcpProxy, tcpProxy } from '@sentinel/test-kit';
import { ReplicaSet } from '../harness/replica-set.js';
import { Clocks } from './clocks.js';
import type { LinkName } from './fault.js';
import type { Inventory } from './plan.js';
import { SpoolAgent } from './spool-agent.js';
import { type HistoryKind, Stores } from './stores.js';

export interface WorldOptions {
  readonly folder: string;
  readonly seed: number;
  readonly replicas: number;
  readonly agents: number;
  readonly history: HistoryKind;
}

/** What an installation decides by, so that decisions follow from what is reported and not from when: other devices and hours do not matter. */
export const SETTINGS = {
  gates: {
    dwell_seconds: 0,
    dwell_small_seconds: 0,
    breadth_nodes: 100,
    rate_limit: { hour_min: 1000, day_min: 1000 },
    deep_test_after_hours: 0,
  },
  tmr: { enabled: false },
};

export const SKEWED_ENGINE = fileURLToPath(import.meta.resolve('@sentinel/correlation-engine/testing/skewed-main'));

/** An installation in which everything can be hurt: replicas, agents and stores are joined by links of its own. */
export class World {
  readonly options: WorldOptions;
  readonly stores: Stores;
  readonly ledger: TestLedger;
  readonly replicas: ReplicaSet;
  readonly agents: readonly SpoolAgent[];
  readonly links: ReadonlyMap<LinkName, TcpProxy>;
  readonly clocks: Clocks;

  private constructor(
    options: WorldOptions,
    parts: { stores: Stores; ledger: TestLedger; replicas: ReplicaSet; links: Map<LinkName, TcpProxy>; clocks: Clocks },
  ) {
    this.options = options;
    this.stores = parts.stores;
    this.ledger = parts.ledger;
    this.replicas = parts.replicas;
    this.links = parts.links;
    this.clocks = parts.clocks;
    this.agents = Array.from({ length: options.agents }, (_, index) => this.#agent(index));
  }

  static async start(options: WorldOptions): Promise<World> {
    const { folder, replicas: count } = options;
    const stores = await Stores.start(folder, options.history);
    const links = new Map<LinkName, TcpProxy>();
    const link = async (name: LinkName, target: string | number): Promise<TcpProxy> => {
      const proxy = await tcpProxy(target);
      links.set(name, proxy);
      return proxy;
    };
    const ledger = await new TestLedger().start();
    const clocks = new Clocks(folder, count);
    const settings = async (index: number, port: string): Promise<Record<string, unknown>> => {
      const postgres = new URL(stores.postgres.url);
      postgres.port = String((await link(`postgres:${index}`, stores.postgres.port)).port);
      const redis = await link(`redis:${index}`, stores.redis.port);
      const replicas = await link(`replicas:${index}`, port);
      const { cluster } = stores;
      const scylla =
        cluster === null
          ? {}
          : {
              scylla: {
                ...cluster,
                contact_points: [(await link(`cassandra:${index}`, stores.of('cassandra').port)).address],
              },
            };
      return {
        ...SETTINGS,
        ...scylla,
        database: { postgres_url: postgres.href, sslmode: 'disable' },
        history: { url: `file://${stores.historyFolder}` },
        redis: { url: `redis://${redis.address}` },
        replica: { listen_address: port, advertise_address: replicas.address },
        audit_ledger_endpoint: ledger.address,
      };
    };
    const program = { bin: SKEWED_ENGINE, env: (index: number) => ({ ENGINE_CLOCK_FILE: clocks.file(index) }) };
    const replicas = await ReplicaSet.start({ folder, count, settings, program });
    for (const [index, { grpc }] of replicas.all.entries()) await link(`agents:${index}`, grpc);
    return new World(options, { stores, ledger, replicas, links, clocks });
  }

  get inventory(): Inventory {
    const { replicas, agents } = this.options;
    return { replicas, agents, stores: this.stores.names, disks: [...this.stores.disks.keys()] };
  }

  link(name: LinkName): TcpProxy {
    const proxy = this.links.get(name);
    if (proxy === undefined) throw new Error(`there is no link ${name}`);
    return proxy;
  }

  async stop(): Promise<void> {
    for (const { agent } of this.agents) agent.close();
    await this.replicas.kill();
    for (const proxy of this.links.values()) await proxy.close();
    await this.ledger.stop();
    await this.stores.stop();
  }

  #agent(index: number): SpoolAgent {
    let next = index;
    const door = (): string => {
      next += 1;
      return this.link(`agents:${next % this.options.replicas}`).address;
    };
    return new SpoolAgent({ seed: this.options.seed, index, door, skewMs: () => this.clocks.ofAgent(index) });
  }
}

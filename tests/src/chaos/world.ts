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
  /** Disks can be full. */
  readonly disks: boolean;
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
  readonly #owned: AsyncDisposableStack;

  private constructor(
    options: WorldOptions,
    parts: {
      stores: Stores;
      ledger: TestLedger;
      replicas: ReplicaSet;
      links: Map<LinkName, TcpProxy>;
      clocks: Clocks;
      owned: AsyncDisposableStack;
    },
  ) {
    this.options = options;
    this.stores = parts.stores;
    this.ledger = parts.ledger;
    this.replicas = parts.replicas;
    this.links = parts.links;
    this.clocks = parts.clocks;
    this.#owned = parts.owned;
    this.agents = Array.from({ length: options.agents }, (_, index) => this.#agent(index));
  }

  static async start(options: WorldOptions): Promise<World> {
    const { folder, replicas: count } = options;
    await using owned = new AsyncDisposableStack();
    const stores = await Stores.start(folder, options.history, options.disks);
    owned.defer(() => stores.stop());
    const links = new Map<LinkName, TcpProxy>();
    const link = async (name: LinkName, target: string | number): Promise<TcpProxy> => {
      const proxy = owned.use(await tcpProxy(target));
      links.set(name, proxy);
      return proxy;
    };
    const ledger = await new TestLedger().start();
    owned.defer(() => ledger.stop());
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
    const replicas = owned.use(await ReplicaSet.start({ folder, count, settings, program }));
    for (const [index, { grpc }] of replicas.all.entries()) await link(`agents:${index}`, grpc);
    return new World(options, { stores, ledger, replicas, links, clocks, owned: owned.move() });
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
    await this.#owned.disposeAsync();
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

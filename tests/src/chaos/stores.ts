import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { testCluster } from '@sentinel/correlation-engine/testing';
import { CassandraServer, PostgresServer, RedisServer, SmallDisk } from '@sentinel/test-kit';
import type { DiskName, StoreName } from './fault.js';

/** PostgreSQL's programs, where it needs a copy of its own, its write-ahead log, and the state of a fleet of tests. */
const POSTGRES_DISK_MB = 600;
const HISTORY_DISK_MB = 200;

export type HistoryKind = 'files' | 'cassandra';
export type Cluster = Omit<ReturnType<typeof testCluster>, 'password_path'>;

/** A store that can be killed, frozen and started again on its port. */
interface Server {
  readonly port: number;
  readonly pid: number;
  start(): Promise<void>;
}

/** The stores of a storm, each the real server, on disks that can be full. */
export class Stores {
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  readonly cassandra: CassandraServer | null;
  readonly disks: ReadonlyMap<DiskName, SmallDisk>;
  readonly historyFolder: string;
  /** As the engines know it, but for the address. */
  readonly cluster: Cluster | null;

  private constructor(parts: {
    postgres: PostgresServer;
    redis: RedisServer;
    cassandra: CassandraServer | null;
    disks: Map<DiskName, SmallDisk>;
    historyFolder: string;
  }) {
    this.postgres = parts.postgres;
    this.redis = parts.redis;
    this.cassandra = parts.cassandra;
    this.disks = parts.disks;
    this.historyFolder = parts.historyFolder;
    this.cluster = parts.cassandra === null ? null : clusterAt(parts.cassandra.url);
  }

  /** @param small PostgreSQL and the segment files lie on disks that can be full, which is for root */
  static async start(folder: string, history: HistoryKind, small: boolean): Promise<Stores> {
    const disks = new Map<DiskName, SmallDisk>();
    const home = (...name: string[]): string => {
      mkdirSync(join(folder, ...name), { recursive: true });
      return join(folder, ...name);
    };
    try {
      if (small) disks.set('postgres-disk', SmallDisk.mount(home('postgres'), POSTGRES_DISK_MB));
      const historyFolder = home('history');
      if (small && history === 'files') disks.set('history-disk', SmallDisk.mount(historyFolder, HISTORY_DISK_MB));
      const [postgres, redis, cassandra] = await Promise.all([
        startPostgres(home('postgres', 'server')),
        RedisServer.start({}, home('redis')),
        history === 'files' ? null : CassandraServer.start(home('cassandra')),
      ]);
      return new Stores({ postgres, redis, cassandra, disks, historyFolder });
    } catch (error) {
      for (const disk of disks.values()) disk.unmount();
      throw error;
    }
  }

  get names(): StoreName[] {
    return this.cassandra === null ? ['postgres', 'redis'] : ['postgres', 'redis', 'cassandra'];
  }

  of(name: StoreName): Server {
    const server = this[name];
    if (server === null) throw new Error(`there is no ${name}`);
    return server;
  }

  /** Kills it, at once. */
  async crash(name: StoreName): Promise<void> {
    if (name === 'postgres') await this.postgres.halt('kill -9');
    else await this[name]?.kill();
  }

  /** Starts what does not run. */
  async revive(name: StoreName): Promise<void> {
    if (name === 'postgres' && !this.postgres.runs) await this.postgres.halt();
    if (this.of(name).pid === 0) await this.of(name).start();
  }

  disk(name: DiskName): SmallDisk {
    const disk = this.disks.get(name);
    if (disk === undefined) throw new Error(`there is no ${name}`);
    return disk;
  }

  async stop(): Promise<void> {
    await Promise.all([this.postgres.stop(), this.redis.stop(), this.cassandra?.stop()]);
    for (const disk of this.disks.values()) disk.unmount();
  }
}

function startPostgres(home: string): Promise<PostgresServer> {
  return PostgresServer.start(home, { settings: { max_wal_size: '64MB', min_wal_size: '32MB' } });
}

function clusterAt(url: string): Cluster {
  // The twin of a secret is not given together with it.
  const { password_path: _, ...cluster } = testCluster(url);
  return cluster;
}

/** A keyspace that a writer is at work in, for a reader: it writes nothing. */
import type { CqlConfig } from '@sentinel/service-kit/cql/connect';
import { SentinelError } from '@sentinel/service-kit/errors';
import { FollowingIndex } from '../../index/following-index.js';
import type { Pruned } from '../../retention/pruning.js';
import type { FollowedLog } from '../backend.js';
import type { Landmarks } from '../head.js';
import type { LogReads } from '../store.js';
import { blockRows } from './blocks.js';
import { readCheckpoints } from './checkpoints.js';
import { Cluster, SECTION } from './cluster.js';
import { HeadRow } from './head-row.js';
import { logNames } from './log-names.js';
import { LogRows } from './log-rows.js';
import { prunedIn } from './pruned-rows.js';
import { readLeaves, ScyllaReads } from './scylla-reads.js';

export class FollowedKeyspace implements FollowedLog {
  readonly #cluster: Cluster;
  #rows: LogRows | undefined;
  #index: FollowingIndex | undefined;
  /** Entry that says what was pruned. */
  #prunedBy: number | undefined;
  #pruned: Pruned = { leaves: 0, details: 0, prunings: [] };

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** @throws SentinelError UNAVAILABLE where the cluster is away, or no writer has made the tables yet */
  static async open(config: CqlConfig): Promise<FollowedKeyspace> {
    let cluster: Cluster | undefined;
    try {
      cluster = await Cluster.connect(config);
      await logNames(cluster);
      return new FollowedKeyspace(cluster);
    } catch (error) {
      await cluster?.close();
      throw isWithoutTables(error) ? noLogYet(config) : error;
    }
  }

  /** That of the newest writer that signed one: it never signs less than a writer before it. */
  async checkpoint(): Promise<string | undefined> {
    const rows = await this.#log();
    return rows === undefined ? undefined : (await readCheckpoints(rows, 'checkpoints')).at(-1)?.note;
  }

  async landmarks(): Promise<Landmarks> {
    const rows = await this.#log();
    const stored = rows && (await new HeadRow(rows.cluster, rows.log).read());
    return stored?.head.landmarks ?? {};
  }

  async readsAt(size: number): Promise<LogReads> {
    const rows = await this.#log();
    if (rows === undefined) throw new Error('a log that is not there has no checkpoint either');
    const stored = await new HeadRow(rows.cluster, rows.log).read();
    const newest = stored?.head.landmarks.prune;
    if (stored !== undefined && newest !== this.#prunedBy) {
      this.#pruned = await prunedIn(rows, stored.head);
      this.#prunedBy = newest;
      rows.prunedLeaves = this.#pruned.leaves;
    }
    this.#index ??= new FollowingIndex(size, blockRows(rows, 'blocks'), (from, to) => readLeaves(rows, from, to));
    const pruned = this.#pruned;
    return new ScyllaReads(
      rows,
      this.#index,
      () => size,
      () => pruned,
    );
  }

  async close(): Promise<void> {
    await this.#cluster.close();
  }

  /** The one log of the keyspace; it does not change its name. */
  async #log(): Promise<LogRows | undefined> {
    const name = this.#rows === undefined ? (await logNames(this.#cluster))[0] : undefined;
    if (name !== undefined) this.#rows = new LogRows(this.#cluster, name);
    return this.#rows;
  }
}

function isWithoutTables(error: unknown): boolean {
  return error instanceof SentinelError && error.field === `${SECTION}.scylla.keyspace`;
}

function noLogYet({ keyspace }: CqlConfig): SentinelError {
  return new SentinelError({
    code: 'UNAVAILABLE',
    field: `${SECTION}.scylla.keyspace`,
    message: `keyspace ${keyspace} holds no log yet`,
    hint: 'A writer makes it when it starts, and sentinel-audit-ledger migrate does.',
  });
}

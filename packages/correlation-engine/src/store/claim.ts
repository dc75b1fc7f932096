import type pg from 'pg';
import type { Head } from './commit-rows.js';
import { WRITER_LOCK } from './writer-lock.js';

/** Who wants to write, and on what condition. */
export interface Claim {
  /** '' = an engine that is alone: it has no lease, the lock is all. */
  readonly holder: string;
  /** Where the other replicas reach it, host:port. */
  readonly address: string;
  /** Newest leader that was seen: whoever came after it goes first. null = any. */
  readonly after: number | null;
  /** Epoch of the connection that this engine had before; null = none. */
  readonly own: number | null;
}

/** The right to write, as it was given. */
export interface Entry {
  readonly epoch: number;
  readonly head: Head;
}

/**
 * Ends the connection of the holder of the lock, if that is a leader whose lease is over, or this engine before it lost its
 * connection. A process that stands still keeps its connection, and with it the lock, for as long as its machine runs. Whoever has
 * the lock without a lease, an engine that is alone or an earlier release, is left alone.
 * @returns its process on the server of the database; null = there was none
 */
export async function evict(client: pg.Client, { after, own }: Claim, leaseMs: number): Promise<number | null> {
  const { rows } = await client.query<{ pid: number }>(
    `select l.pid, pg_terminate_backend(l.pid) from pg_locks l
       join leader r on r.backend_pid = l.pid
       join pg_stat_activity a on a.pid = l.pid and a.backend_start = r.backend_start
       where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = $1 and l.objsubid = 1
         and l.database = (select oid from pg_database where datname = current_database())
         and (r.epoch = $3
           or r.epoch = $2 and r.holder <> '' and r.renewed_at < clock_timestamp() - make_interval(secs => $4))`,
    [WRITER_LOCK, after, own, leaseMs / 1000],
  );
  return rows[0]?.pid ?? null;
}

/**
 * Makes the holder of the lock the leader: from here on, no transaction of an earlier one can move the head. Waits for a transaction
 * of a connection that was lost and that the server has not given up yet.
 * @returns null where another one was first
 */
export async function enter(client: pg.Client, { holder, address, after }: Claim): Promise<Entry | null> {
  const { rows } = await client.query<{ epoch: number; commit_seq: number; now_us: number }>(
    `with taken as (
       update leader set holder = $1, address = $2, epoch = epoch + 1, renewed_at = clock_timestamp(), backend_pid = pg_backend_pid(),
         backend_start = (select backend_start from pg_stat_activity where pid = pg_backend_pid())
         where epoch = coalesce($3, epoch) returning epoch)
     update head set leader_epoch = taken.epoch from taken returning taken.epoch, commit_seq, now_us`,
    [holder, address, after],
  );
  const [row] = rows;
  return row === undefined ? null : { epoch: row.epoch, head: { commitSeq: row.commit_seq, nowUs: row.now_us } };
}

/** The newest signed checkpoint, in two tables. Each writer has a row of its own, and the size is the timestamp, so that no clock decides. */
import { long } from '@sentinel/service-kit/cql/rows';
import type { Statement } from './cluster.js';
import type { LogRows } from './log-rows.js';

export type CheckpointTable = 'checkpoints' | 'rollback_guard';
/** Above every size and below today's time, which a node may refuse to exceed. */
const FORGOTTEN_AT = 2 ** 50;

export interface StoredCheckpoint {
  readonly epoch: number;
  readonly note: string;
}

export function checkpointStatement(
  { log }: Pick<LogRows, 'log'>,
  table: CheckpointTable,
  { epoch, size }: { readonly epoch: number; readonly size: number },
  note: string,
): Statement {
  return {
    query: `INSERT INTO ${table} (log, epoch, note) VALUES (?, ?, ?) USING TIMESTAMP ?`,
    params: [log, long(epoch), note, long(size)],
  };
}

/** By epoch, oldest first: one, but for a writer that has just begun. */
export async function readCheckpoints({ cluster, log }: LogRows, table: CheckpointTable): Promise<StoredCheckpoint[]> {
  const found: StoredCheckpoint[] = [];
  for await (const row of cluster.rows(`SELECT epoch, note FROM ${table} WHERE log = ?`, [log]))
    found.push({ epoch: Number(row.epoch), note: String(row.note ?? '') });
  return found;
}

/** Forgets checkpoints of writers that are gone; what they still save is forgotten, too. */
export function forgetStatements(
  { log }: Pick<LogRows, 'log'>,
  table: CheckpointTable,
  stored: readonly StoredCheckpoint[],
): Statement[] {
  return stored.map(({ epoch }) => ({
    query: `DELETE FROM ${table} USING TIMESTAMP ? WHERE log = ? AND epoch = ?`,
    params: [long(FORGOTTEN_AT), log, long(epoch)],
  }));
}

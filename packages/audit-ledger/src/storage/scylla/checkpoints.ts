/** The newest signed checkpoint, in two tables. Each writer has a row of its own, and the size is the timestamp, so that no clock decides. */
import { long } from '@sentinel/service-kit/cql/rows';
import type { Statement } from './cluster.js';
import type { LogRows } from './log-rows.js';

export type CheckpointTable = 'checkpoints' | 'rollback_guard';
/** Rows that stay: one is made by every start. */
const KEPT_EPOCHS = 16;
/** Later than every size, and than no clock. */
const DELETED_AT = 2 ** 50;

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

/** By epoch, oldest first. */
export async function readCheckpoints({ cluster, log }: LogRows, table: CheckpointTable): Promise<StoredCheckpoint[]> {
  const found: StoredCheckpoint[] = [];
  for await (const row of cluster.rows(`SELECT epoch, note FROM ${table} WHERE log = ?`, [log]))
    found.push({ epoch: Number(row.epoch), note: String(row.note ?? '') });
  return found;
}

/** Forgets checkpoints of writers that are gone: all but the newest, or those named. */
export function forgetStatements(
  { log }: Pick<LogRows, 'log'>,
  table: CheckpointTable,
  stored: readonly StoredCheckpoint[],
): Statement[] {
  return stored.map(({ epoch }) => ({
    query: `DELETE FROM ${table} USING TIMESTAMP ? WHERE log = ? AND epoch = ?`,
    params: [long(DELETED_AT), log, long(epoch)],
  }));
}

export function outlived(stored: readonly StoredCheckpoint[]): readonly StoredCheckpoint[] {
  return stored.slice(0, -KEPT_EPOCHS);
}

/** That of most entries, as it states itself; undefined where there is none. */
export function newestNote(stored: readonly StoredCheckpoint[]): string | undefined {
  const sizes = stored.map(({ note }) => Number(note.split('\n')[1]));
  const best = sizes.reduce((a, size, i) => (size >= (sizes[a] ?? -1) ? i : a), 0);
  return stored[best]?.note;
}

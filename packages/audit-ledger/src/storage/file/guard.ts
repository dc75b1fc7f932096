/** Whether a log is the one it should be and not older than the last checkpoint that was signed for it. */
import { SALT_BYTES } from '../../detail/commitment.js';
import { type Checkpoint, openCheckpoint } from '../../note/checkpoint.js';
import type { VerifierKey } from '../../note/keys.js';
import { NoteError } from '../../note/note.js';
import { RollbackError, TamperedStoreError } from '../errors.js';
import type { Head } from '../head.js';
import type { Disk } from './disk.js';
import { readWhole } from './files.js';
import type { HashColumns } from './hash-columns.js';
import type { Layout } from './layout.js';
import { nodeReader } from './rebuild.js';
import type { RecordReader } from './record-reader.js';

export interface GuardedLog {
  readonly layout: Layout;
  readonly disk: Disk;
  readonly head: Head;
  readonly columns: HashColumns;
}

/** Entry 0 names the key that signs the log. */
export async function assertSameLog(reader: RecordReader, head: Head, verifier: VerifierKey): Promise<void> {
  if (head.size === 0) return;
  const [genesis] = await reader.entries(0, 1);
  const detail = Buffer.from(genesis?.detailPreimage.subarray(1 + SALT_BYTES) ?? []).toString('utf8');
  const { log_key: logKey } = JSON.parse(detail) as { log_key?: unknown };
  if (logKey === verifier.text) return;
  throw new TamperedStoreError(
    `the log is signed by ${String(logKey)}, but signing_key is that of ${verifier.text}: configure the key that made the log`,
  );
}

/** The checkpoint beside a folder; undefined where there is none. @throws NoteError where it is not one by `verifier` */
export async function checkpointBeside({ guard }: Layout, verifier: VerifierKey): Promise<Checkpoint | undefined> {
  const note = await readWhole(guard);
  return note === undefined || note.length === 0 ? undefined : openCheckpoint(note, verifier);
}

/**
 * The newest checkpoint beyond the log, where an operator accepts that; undefined where the log reaches every checkpoint.
 * @throws RollbackError
 */
export async function compareWithGuards(
  log: GuardedLog,
  { verifier, acceptRollback }: { readonly verifier: VerifierKey; readonly acceptRollback: boolean },
): Promise<Checkpoint | undefined> {
  let lost: Checkpoint | undefined;
  for (const path of [log.layout.checkpoint, log.layout.guard]) {
    const note = await readWhole(path, log.disk);
    // A power cut may leave an empty file: what it said is not known, and the other place remains.
    if (note === undefined || note.length === 0) continue;
    const guard = openGuard(path, note, verifier);
    const problem = await behind(log, guard);
    if (problem === undefined) continue;
    const advice =
      'Restore the newest copy of the folder, or start once with --accept-rollback to go on without what is lost';
    if (!acceptRollback) throw new RollbackError(`the log in ${log.layout.root} ${problem} (${path}). ${advice}`);
    if (guard.size > (lost?.size ?? 0)) lost = guard;
  }
  return lost;
}

function openGuard(path: string, note: Buffer, verifier: VerifierKey): Checkpoint {
  try {
    return openCheckpoint(note, verifier);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new TamperedStoreError(
      `${path} is not a checkpoint by ${verifier.name} (${error.message}): configure the key that made the log, or restore the file`,
    );
  }
}

async function behind({ head, columns }: GuardedLog, guard: Checkpoint): Promise<string | undefined> {
  if (guard.size > head.size)
    return `went back in time: it has ${head.size} entries, a checkpoint of it has ${guard.size}`;
  const root = await nodeReader(columns, head.size).root(guard.size);
  return Buffer.compare(root, guard.root) === 0
    ? undefined
    : `is another one than its checkpoint of ${guard.size} entries speaks of`;
}

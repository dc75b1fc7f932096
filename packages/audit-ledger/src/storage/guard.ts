/** Whether a log is the one it should be and not older than the last checkpoint that was signed for it. */
import { type Checkpoint, openCheckpoint } from '../note/checkpoint.js';
import { MalformedKeyError, parseVerifierKey, type VerifierKey } from '../note/keys.js';
import { NoteError } from '../note/note.js';
import { followRotations } from '../note/rotation.js';
import { type RecordedRotation, readRotations, recordedAt } from '../retention/chain.js';
import type { NodeReader } from '../tiles/node-reader.js';
import { OtherKeyError, RollbackError, TamperedStoreError } from './errors.js';
import type { Head } from './head.js';
import type { LogReads } from './store.js';

export interface GuardedLog {
  /** Where it lies, for people. */
  readonly place: string;
  readonly head: Head;
  /** Of a tree of the head's size. */
  readonly nodes: NodeReader;
}

/** A stored checkpoint. */
export interface GuardNote {
  readonly place: string;
  readonly note: string | Uint8Array;
}

/** Entry 0 names the key that signed the log first; each key after it was handed over to. */
export async function assertSameLog(
  reads: Pick<LogReads, 'readEntries'>,
  head: Head,
  verifier: VerifierKey,
): Promise<void> {
  if (head.size === 0) return;
  const { detail } = await recordedAt(reads, 0);
  const logKey = String(detail['log_key']);
  const rotations = await readRotations({ readEntries: (from, to) => reads.readEntries(from, to), head });
  const newest = newestKey(logKey, rotations);
  if (newest === verifier.text) return;
  throw new OtherKeyError(
    `the log is signed by ${newest}, but signing_key is that of ${verifier.text}: configure the key that ${rotations.length === 0 ? 'made the log' : 'the log was handed over to'}, or put that one beside the new one as signing_key_path.retired, and the log is handed over`,
    newest,
  );
}

function newestKey(first: string, rotations: readonly RecordedRotation[]): string {
  try {
    return followRotations(parseVerifierKey(first), rotations).key.text;
  } catch (error) {
    if (error instanceof MalformedKeyError) return first;
    throw error;
  }
}

/**
 * The newest checkpoint beyond the log, where an operator accepts that; undefined where the log reaches every checkpoint.
 * @throws RollbackError
 */
export async function compareWithGuards(
  log: GuardedLog,
  guards: readonly GuardNote[],
  { verifier, acceptRollback }: { readonly verifier: VerifierKey; readonly acceptRollback: boolean },
): Promise<Checkpoint | undefined> {
  let lost: Checkpoint | undefined;
  for (const { place, note } of guards) {
    const guard = openGuard(place, note, verifier);
    const problem = await behind(log, guard);
    if (problem === undefined) continue;
    const advice = 'Restore the newest copy, or start once with --accept-rollback to go on without what is lost';
    if (!acceptRollback) throw new RollbackError(`the log in ${log.place} ${problem} (${place}). ${advice}`);
    if (guard.size > (lost?.size ?? 0)) lost = guard;
  }
  return lost;
}

function openGuard(place: string, note: string | Uint8Array, verifier: VerifierKey): Checkpoint {
  try {
    return openCheckpoint(note, verifier);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new TamperedStoreError(
      `${place} is not a checkpoint by ${verifier.name} (${error.message}): configure the key that made the log, or restore it`,
    );
  }
}

async function behind({ head, nodes }: GuardedLog, guard: Checkpoint): Promise<string | undefined> {
  if (guard.size > head.size)
    return `went back in time: it has ${head.size} entries, a checkpoint of it has ${guard.size}`;
  const root = await nodes.root(guard.size);
  return Buffer.compare(root, guard.root) === 0
    ? undefined
    : `is another one than its checkpoint of ${guard.size} entries speaks of`;
}

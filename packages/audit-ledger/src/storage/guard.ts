/** Whether a log is the one it should be and not older than the last checkpoint that was signed for it. */
import { type Checkpoint, openCheckpoint } from '../note/checkpoint.js';
import { MalformedKeyError, parseVerifierKey, type VerifierKey } from '../note/keys.js';
import { NoteError } from '../note/note.js';
import { followRotations } from '../note/rotation.js';
import { type RecordedRotation, readRotations, recordedAt } from '../retention/chain.js';
import type { NodeReader } from '../tiles/node-reader.js';
import { NoLogError, OtherKeyError, RollbackError, TamperedStoreError } from './errors.js';
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

/**
 * Refuses to begin a log where one should be: the place may be a volume that is not mounted, and a second log of one key
 * would be signed against the first. To be called before anything is written there.
 * @throws NoLogError
 */
export function assertMayBegin(
  { place, setting }: { readonly place: string; readonly setting: string },
  guards: readonly GuardNote[],
  { mayBegin, acceptRollback }: { readonly mayBegin: boolean; readonly acceptRollback: boolean },
): void {
  if (acceptRollback || (mayBegin && guards.length === 0)) return;
  const [guard] = guards;
  if (guard === undefined)
    throw new NoLogError(
      setting,
      `there is no log in ${place}, and signing_key may have signed one before. Is its volume mounted? If this key never signed a log, start once with --new-log; if the log is lost, make a new key (keygen), or start once with --accept-rollback to begin again under this one, which readers, engine and auditors will notice`,
    );
  throw new NoLogError(
    setting,
    `there is no log in ${place}, but ${guard.place} holds a checkpoint of ${Number(Buffer.from(guard.note).toString('utf8').split('\n')[1])} entries of one. Is its volume mounted? If the log is lost, restore it from a copy, or start once with --accept-rollback to begin again without it`,
  );
}

/**
 * Whether a log has its second place. A log has one from its first checkpoint on; one that was never signed may lack it.
 * @param guard 'empty': a power cut may leave it so
 * @returns why nothing shows whether the log went back in time, in words; undefined where it has one
 * @throws RollbackError where it is missing and nobody accepted that
 */
export function unguardedReason(
  { place, head }: Pick<GuardedLog, 'place' | 'head'>,
  guard: { readonly place: string; readonly state: 'there' | 'empty' | 'missing' },
  { acceptRollback }: { readonly acceptRollback: boolean },
): string | undefined {
  if (guard.state === 'there' || head.size <= 1) return undefined;
  if (guard.state === 'empty') return `${guard.place} is empty, as a power cut may leave it`;
  if (acceptRollback) return `${guard.place} is missing, which the operator accepted`;
  throw new RollbackError(
    `${guard.place} is missing: nothing shows whether the log in ${place} went back in time. If the log was moved, move that along; if it was restored from a copy, start once with --accept-rollback to go on with what it holds`,
  );
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

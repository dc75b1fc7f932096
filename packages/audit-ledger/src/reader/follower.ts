/**
 * Follows the checkpoints of a writer: each is shown to extend the one before, then kept, then served. A reader that meets one
 * that does not stops for good, because whatever it served next could contradict what it served before.
 */
import { type Checkpoint, openCheckpoint, parseCheckpointBody } from '../note/checkpoint.js';
import type { VerifierKey } from '../note/keys.js';
import { NoteError, parseNote } from '../note/note.js';
import { followRotations } from '../note/rotation.js';
import type { RecordedRotation } from '../retention/chain.js';
import type { LogView } from '../rpc/context.js';
import type { FollowedLog } from '../storage/backend.js';
import type { LogReads } from '../storage/store.js';
import { EVIDENCE_FORMAT, type ForkEvidence } from './fork-evidence.js';
import type { Kept } from './kept.js';
import { tilesOf } from './served-tiles.js';
import { assertHandedOver, candidateFor, claimedRotations, openKept } from './trusted-keys.js';
import { VerifiedReads } from './verified-reads.js';
import { UnverifiableError, VerifiedTree } from './verified-tree.js';

/** A store that shows an older checkpoint is asked again so often before it is believed: a replica may have lagged. */
const ROLLBACK_LOOKS = 3;

export interface FollowerEvents {
  /** The store could not be read or verified, with the reason; null once it could again. */
  unsettled(error: Error | null): void;
  grown(size: number): void;
  /** `file`: undefined where the evidence could not be written; both checkpoints are in it. */
  stopped(reason: string, evidence: ForkEvidence, file: string | undefined): void;
  /** The log was handed over, by an entry that both keys signed. */
  handedOver(from: string, to: string, seq: number): void;
}

export interface FollowerParts {
  readonly log: FollowedLog;
  /** The key that the reader was given. */
  readonly key: VerifierKey;
  readonly kept: Kept;
  readonly nowMs: () => number;
  readonly events: FollowerEvents;
}

export interface Stop {
  readonly reason: string;
  /** Files of the evidence, as far as they could be written. */
  readonly evidence: readonly string[];
}

interface Signed extends Checkpoint {
  readonly note: string;
}

export class Follower {
  readonly #parts: FollowerParts;
  /** That of the newest checkpoint, and how it followed from the one that was given. */
  #key: VerifierKey;
  #rotations: readonly RecordedRotation[];
  /** What later checkpoints must extend. */
  #known: Signed | undefined;
  #view: (LogView & { readonly tree: VerifiedTree }) | undefined;
  #stop: Stop | undefined;
  #lookedMs: number | undefined;
  #rollbackLooks = 0;
  #unsettled = false;

  private constructor(
    parts: FollowerParts,
    keys: { readonly key: VerifierKey; readonly rotations: readonly RecordedRotation[] },
    known: Signed | undefined,
    stop: Stop | undefined,
  ) {
    this.#parts = parts;
    this.#key = keys.key;
    this.#rotations = keys.rotations;
    this.#known = known;
    this.#stop = stop;
  }

  /** @throws NoteError where what was kept is no checkpoint by `key`, nor by one before or after it */
  static async open(parts: FollowerParts): Promise<Follower> {
    const { key: given, kept, log } = parts;
    const note = await kept.checkpoint();
    const evidence = await kept.evidence();
    const { key, by: rotations } = followRotations(given, await kept.rotations());
    const reason = 'an inconsistent checkpoint was met before; an operator has to look at the evidence';
    return new Follower(
      parts,
      { key, rotations },
      note === undefined ? undefined : { ...(await reopened(note, key, rotations, log)), note },
      evidence.length === 0 ? undefined : { reason, evidence },
    );
  }

  /** Of the key that signed the newest checkpoint. */
  get key(): VerifierKey {
    return this.#key;
  }

  /** What the log says of how its keys followed each other, oldest first: signed by them. */
  async rotations(): Promise<readonly RecordedRotation[]> {
    const { view } = this;
    return view === undefined ? [] : await claimedRotations(this.#parts.log, view.checkpoint.size);
  }

  /** Undefined before the first checkpoint, and for ever once stopped. */
  get view(): LogView | undefined {
    return this.#stop === undefined ? this.#view : undefined;
  }

  get stop(): Stop | undefined {
    return this.#stop;
  }

  /** When the store's newest checkpoint was last known to be the served one; undefined = never. */
  get lookedMs(): number | undefined {
    return this.#lookedMs;
  }

  /** One look at the store. */
  async look(): Promise<void> {
    if (this.#stop !== undefined) return;
    const { log, events, nowMs } = this.#parts;
    const startedMs = nowMs();
    try {
      const note = await log.checkpoint();
      if (note === undefined) throw new UnverifiableError('the store holds no checkpoint');
      if (note !== this.#view?.checkpoint.note) await this.#follow(note);
      this.#lookedMs = startedMs;
      if (this.#unsettled && this.#rollbackLooks === 0) events.unsettled(null);
      this.#unsettled = this.#rollbackLooks > 0;
    } catch (error) {
      this.#unsettled = true;
      events.unsettled(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #follow(note: string): Promise<void> {
    const { key, by } = await orUnverifiable(() => candidateFor(note, this.#key, this.#parts.log));
    const next = { ...(await orUnverifiable(() => openCheckpoint(note, key))), note };
    const known = this.#known;
    if (known !== undefined && next.size < known.size) return await this.#rolledBack(known, next);
    this.#rollbackLooks = 0;
    if (known !== undefined && next.size === known.size && Buffer.compare(next.root, known.root) !== 0)
      return await this.#stopWith(`two checkpoints of ${next.size} entries have different roots`, known, next);
    const reads = await this.#parts.log.readsAt(next.size);
    const tree = await VerifiedTree.open(next, ...tilesOf(reads));
    const prefix = known === undefined ? undefined : await tree.rootAt(known.size);
    if (known !== undefined && prefix !== undefined && Buffer.compare(prefix, known.root) !== 0)
      return await this.#forked(known, next, prefix, tree);
    const verified = new VerifiedReads(tree, reads);
    await this.#handOver(key, by, verified);
    await this.#parts.kept.keepCheckpoint(note);
    if (this.#view !== undefined) tree.inherit(this.#view.tree);
    this.#known = next;
    this.#view = { checkpoint: next, reads: verified, tree };
    this.#parts.events.grown(next.size);
  }

  /** Once the new checkpoint is known to extend the one before. */
  async #handOver(key: VerifierKey, by: readonly RecordedRotation[], reads: LogReads): Promise<void> {
    const last = by.at(-1);
    if (last === undefined) return;
    await assertHandedOver(by, reads);
    const rotations = [...this.#rotations, ...by];
    await this.#parts.kept.keepRotations(rotations);
    this.#parts.events.handedOver(this.#key.text, key.text, last.seq);
    this.#key = key;
    this.#rotations = rotations;
  }

  async #rolledBack(known: Signed, next: Signed): Promise<void> {
    this.#rollbackLooks += 1;
    if (this.#rollbackLooks < ROLLBACK_LOOKS)
      throw new UnverifiableError(`the store shows a checkpoint of ${next.size} entries after one of ${known.size}`);
    await this.#stopWith(`the log went back from ${known.size} to ${next.size} entries`, known, next);
  }

  async #forked(known: Signed, next: Signed, root: Uint8Array, tree: VerifiedTree): Promise<void> {
    const proof = (await tree.consistencyProof(known.size)).map(base64);
    await this.#stopWith(
      `the ${next.size} entries of the newest checkpoint do not begin with the ${known.size} of the one before`,
      known,
      next,
      { root: base64(root), proof },
    );
  }

  async #stopWith(reason: string, first: Signed, second: Signed, prefix?: ForkEvidence['prefix']): Promise<void> {
    const { key, kept, events, nowMs } = this.#parts;
    const notes = this.#rotations.map(({ note }) => note);
    const evidence: ForkEvidence = {
      format: EVIDENCE_FORMAT,
      verifier_key: key.text,
      ...(notes.length === 0 ? {} : { rotations: notes }),
      found_at: new Date(nowMs()).toISOString(),
      first: first.note,
      second: second.note,
      ...(prefix === undefined ? {} : { prefix }),
    };
    // Before anything that can fail.
    this.#stop = { reason, evidence: [] };
    const file = await kept.keepEvidence(evidence).catch(() => undefined);
    this.#stop = { reason, evidence: file === undefined ? [] : [file] };
    events.stopped(reason, evidence, file);
  }
}

/** What is asked of the log is how its keys followed each other, where what was kept does not say it. */
async function reopened(
  note: string,
  key: VerifierKey,
  rotations: readonly RecordedRotation[],
  log: FollowedLog,
): Promise<Checkpoint> {
  try {
    return openKept(note, key, rotations);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    const { size } = parseCheckpointBody(parseNote(note).text);
    const claimed = await claimedRotations(log, Math.max(size, (await log.landmarks()).key_rotation ?? 0) + 1);
    return openKept(note, key, claimed);
  }
}

async function orUnverifiable<T>(open: () => T | Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    throw error instanceof NoteError ? new UnverifiableError(`checkpoint of the store: ${error.message}`) : error;
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

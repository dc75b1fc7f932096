/**
 * The single writer: takes requests from a bounded queue, groups what waits, commits, signs, acknowledges. One commit at a
 * time and no timer: while one is on its way to disk the next group gathers, and an idle ledger commits at once.
 */
import { type Deduplicator, EventConflictError, type EventRequest, Group } from '../ingest/deduplicate.js';
import type { EventWindow } from '../ingest/event-window.js';
import { ProducerMarks } from '../ingest/producers.js';
import { type Checkpoint, checkpointBody, openCheckpoint, signCheckpoint } from '../note/checkpoint.js';
import type { SigningKey } from '../note/keys.js';
import type { SealTracker } from '../seal/tracker.js';
import { StoreFullError } from '../storage/errors.js';
import type { Head, Landmarks } from '../storage/head.js';
import type { LedgerStore } from '../storage/store.js';
import type { Draft } from './build.js';
import { ConflictBudget } from './conflict-budget.js';
import { DivergenceError } from './divergence.js';
import type { Proposal, Sequencer } from './sequencer.js';
import { conflictDraft, systemDraft } from './system-entries.js';

/** Entries of one commit at most; also of one request. */
export const MAX_GROUP_ENTRIES = 8192;
/** Details of one commit at most, bytes; a request may be as large. */
export const MAX_GROUP_BYTES = 16 * 2 ** 20;
/** What may wait: about half a second of the fastest ingest. */
export const MAX_QUEUED_ENTRIES = 65_536;
export const MAX_QUEUED_BYTES = 64 * 2 ** 20;

/** The queue is full; nothing of the request was taken. */
export class OverloadedError extends Error {
  override readonly name = 'OverloadedError';
}

/** The ledger is stopping or has failed; nothing of the request is in the log. */
export class LedgerClosedError extends Error {
  override readonly name = 'LedgerClosedError';
}

export interface SignedCheckpoint extends Checkpoint {
  readonly note: string;
}

export interface Receipt {
  readonly seqs: readonly number[];
  /** Covers all of them. */
  readonly checkpoint: SignedCheckpoint;
}

export interface LedgerEvents {
  committed(entries: number, seconds: number, size: number): void;
  refused(reason: 'conflict' | 'stale_number' | 'overloaded' | 'disk_full'): void;
  /** The second path disagreed: this machine computes wrong answers. */
  diverged(error: DivergenceError): void;
  checkpointNotKept(error: unknown): void;
  /** Nothing more can be committed; the process must end. */
  fatal(error: unknown): void;
}

export interface LedgerParts {
  readonly store: LedgerStore;
  readonly sequencer: Sequencer;
  readonly window: EventWindow;
  readonly deduplicator: Deduplicator;
  readonly seals: SealTracker;
  readonly key: SigningKey;
  readonly groupEntries: number;
  readonly nowUs: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly events: LedgerEvents;
}

interface Waiting {
  readonly request: EventRequest;
  readonly bytes: number;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
}

/** A key that shall sign. */
interface Turn {
  readonly key: SigningKey;
  readonly entry: ((head: Head) => Draft) | undefined;
  readonly resolve: (seq: number | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export class Ledger {
  readonly #parts: LedgerParts;
  /** One at a time: the key ring orders the next when this one is done. */
  readonly #turns: Turn[] = [];
  readonly #queue: Waiting[] = [];
  readonly #conflicts = new ConflictBudget();
  #queuedEntries = 0;
  #queuedBytes = 0;
  #marks: ProducerMarks;
  #checkpoint: SignedCheckpoint;
  #key: SigningKey;
  #sealDue = false;
  /** The disk had no room for a seal; the next commit that succeeds shows that it may have again. */
  #sealBlocked = false;
  #running: Promise<void> = Promise.resolve();
  #busy = false;
  #closed = false;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
    this.#key = parts.key;
    this.#marks = new ProducerMarks(parts.store.head.producers);
    this.#checkpoint = this.#sign(parts.store.head);
  }

  /** The newest signed checkpoint; nothing beyond it is shown to anybody. */
  get checkpoint(): SignedCheckpoint {
    return this.#checkpoint;
  }

  /** Verifier key of the key that signs. */
  get signer(): string {
    return this.#key.verifier.text;
  }

  /** Entries below it are covered by a seal, and by the checkpoint. */
  get sealedEnd(): number {
    return this.#parts.seals.firstUnsealedSeq ?? this.#checkpoint.size;
  }

  get pendingEntries(): number {
    return this.#queuedEntries;
  }

  /** Resolves once every event is durable and covered by a signed checkpoint. */
  async ingest(request: EventRequest): Promise<Receipt> {
    this.assertRoom(request);
    const bytes = bytesOf(request);
    const entries = request.drafts.length;
    return await new Promise((resolve, reject) => {
      this.#queue.push({ request, bytes, resolve, reject });
      this.#queuedEntries += entries;
      this.#queuedBytes += bytes;
      this.#wake();
    });
  }

  /** @throws OverloadedError or LedgerClosedError where a request is not taken now */
  assertRoom(request: EventRequest): void {
    if (this.#closed) throw new LedgerClosedError('the ledger is stopping');
    const entries = this.#queuedEntries + request.drafts.length;
    if (entries <= MAX_QUEUED_ENTRIES && this.#queuedBytes + bytesOf(request) <= MAX_QUEUED_BYTES) return;
    this.#parts.events.refused('overloaded');
    throw new OverloadedError('the ledger has more to write than it can');
  }

  /** Asks for a seal, which is made unless nothing was logged since the last. */
  seal(): void {
    this.#sealDue = true;
    this.#wake();
  }

  /** The same, and resolves once everything before is sealed. */
  async sealNow(): Promise<void> {
    this.seal();
    await this.#running;
  }

  /** Appends one of the ledger's own entries. */
  async record(draft: Draft): Promise<Receipt> {
    return await this.ingest({ producer: draft.producer, numbering: undefined, drafts: [draft] });
  }

  /**
   * Signs by another key from here on, beginning with the newest checkpoint, and then commits the entry that says so, where there is
   * one. Requests wait meanwhile, as behind any commit. @returns its seq
   */
  async signBy(key: SigningKey, entry?: (head: Head) => Draft): Promise<number | undefined> {
    if (this.#closed) throw new LedgerClosedError('the ledger is stopping');
    return await new Promise((resolve, reject) => {
      this.#turns.push({ key, entry, resolve, reject });
      this.#wake();
    });
  }

  /** Takes no more and resolves when what was taken is committed. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  #wake(): void {
    if (!this.#busy) this.#running = this.#run();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    try {
      while (this.#queue.length > 0 || this.#turns.length > 0 || this.#sealWanted()) {
        const turn = this.#turns.shift();
        if (turn !== undefined) await this.#turnKey(turn);
        if (this.#sealWanted()) await this.#commitSeal();
        const group = this.#takeGroup();
        if (group.length > 0) await this.#commitGroup(group);
      }
    } catch (error) {
      this.#fail(error);
    }
    // In the same step as the last look at the queue: whoever comes next must find nobody at work.
    this.#busy = false;
  }

  #sealWanted(): boolean {
    const { seals } = this.#parts;
    if (!seals.pending) this.#sealDue = false;
    return !this.#sealBlocked && (seals.full || this.#sealDue);
  }

  #takeGroup(): Waiting[] {
    const group: Waiting[] = [];
    let entries = 0;
    let bytes = 0;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      entries += next.request.drafts.length;
      bytes += next.bytes;
      if (group.length > 0 && (entries > this.#parts.groupEntries || bytes > MAX_GROUP_BYTES)) break;
      group.push(next);
      this.#queue.shift();
    }
    return group;
  }

  async #commitGroup(waiting: readonly Waiting[]): Promise<void> {
    const events = waiting.reduce((sum, { request }) => sum + request.drafts.length, 0);
    const group = new Group(this.#parts.sequencer.size, events);
    try {
      const { placed, marks } = await this.#place(waiting, group);
      if (group.drafts.length > 0) await this.#commit(group.drafts, marks, false);
      for (const { each, seqs } of placed) each.resolve({ seqs, checkpoint: this.#checkpoint });
    } catch (error) {
      for (const each of waiting) each.reject(error);
      if (!(error instanceof StoreFullError)) throw error;
      this.#parts.events.refused('disk_full');
      this.#refuseQueued(error);
    } finally {
      this.#forget(waiting);
    }
  }

  /** What waits behind a refused request is refused too: committed before it, it would make the numbers of that one stale. */
  #refuseQueued(error: StoreFullError): void {
    const queued = this.#queue.splice(0);
    for (const each of queued) each.reject(error);
    this.#forget(queued);
  }

  #forget(waiting: readonly Waiting[]): void {
    for (const { request, bytes } of waiting) {
      this.#queuedEntries -= request.drafts.length;
      this.#queuedBytes -= bytes;
    }
  }

  async #place(
    waiting: readonly Waiting[],
    group: Group,
  ): Promise<{ placed: { each: Waiting; seqs: readonly number[] }[]; marks: ProducerMarks }> {
    const placed: { each: Waiting; seqs: readonly number[] }[] = [];
    const marks = this.#marks.copy();
    for (const each of waiting) {
      try {
        placed.push({ each, seqs: await this.#parts.deduplicator.place(each.request, group, marks) });
        raise(marks, each.request);
      } catch (error) {
        this.#refuse(each, error);
      }
    }
    return { placed, marks };
  }

  #refuse(each: Waiting, error: unknown): void {
    each.reject(error);
    const conflict = error instanceof EventConflictError;
    this.#parts.events.refused(conflict ? 'conflict' : 'stale_number');
    const draft = conflict ? each.request.drafts[error.index] : undefined;
    if (!conflict || draft === undefined || this.#closed) return;
    const unrecorded = this.#conflicts.take(this.#parts.nowUs());
    if (unrecorded === undefined) return;
    // A full queue may lose the record, not the refusal.
    this.record(conflictDraft(draft, each.request.producer, error.seq, unrecorded)).catch(() =>
      this.#parts.events.refused('overloaded'),
    );
  }

  /** The checkpoint comes before the entry, so that wherever a crash comes it opens by the key that the log is then of. */
  async #turnKey({ key, entry, resolve, reject }: Turn): Promise<void> {
    const before = { key: this.#key, checkpoint: this.#checkpoint };
    const { store } = this.#parts;
    let committing = false;
    try {
      this.#key = key;
      this.#checkpoint = this.#sign(store.head);
      await store.saveCheckpoint(this.#checkpoint.note);
      committing = entry !== undefined;
      if (entry !== undefined) await this.#commit([entry(store.head)], this.#marks, false);
      resolve(entry === undefined ? undefined : this.#checkpoint.size - 1);
    } catch (error) {
      reject(error);
      if (committing && !(error instanceof StoreFullError)) throw error;
      this.#key = before.key;
      this.#checkpoint = before.checkpoint;
    }
  }

  async #commitSeal(): Promise<void> {
    const { seals, nowUs, randomBytes, events } = this.#parts;
    this.#sealDue = false;
    try {
      await this.#commit([systemDraft(seals.detail(), nowUs(), randomBytes(16))], this.#marks, true);
    } catch (error) {
      if (!(error instanceof StoreFullError)) throw error;
      this.#sealBlocked = true;
      events.refused('disk_full');
    }
  }

  async #commit(drafts: readonly Draft[], marks: ProducerMarks, isSeal: boolean): Promise<void> {
    const { store, sequencer, window, seals, events } = this.#parts;
    const started = performance.now();
    const proposal = await this.#propose(drafts);
    const head = this.#headAfter(proposal, marks, isSeal);
    await store.commit(proposal, head);
    sequencer.accept(proposal);
    this.#sealBlocked = false;
    this.#marks = marks;
    const checkpoint = this.#sign(head);
    // Once more, with the signature made and not yet shown to anybody.
    proposal.assertIntact(head);
    await store.saveCheckpoint(checkpoint.note).catch((error: unknown) => events.checkpointNotKept(error));
    this.#checkpoint = checkpoint;

    const { commit, firstSeq } = proposal.header;
    drafts.forEach((draft, i) => window.add(draft.eventId, firstSeq + i));
    if (isSeal) seals.sealed();
    seals.add({
      commit,
      firstSeq,
      types: drafts.map(({ type }) => type),
      batchRoot: proposal.batchRoot,
      onlySeal: isSeal,
    });
    events.committed(drafts.length, (performance.now() - started) / 1000, head.size);
  }

  async #propose(drafts: readonly Draft[]): Promise<Proposal> {
    const { sequencer, store, nowUs, randomBytes } = this.#parts;
    const { commits, epoch } = store.head;
    const salts = randomBytes(16 * drafts.length);
    return await sequencer.propose({ commit: commits, epoch, batchId: randomBytes(16), drafts, nowUs: nowUs(), salts });
  }

  #headAfter(proposal: Proposal, marks: ProducerMarks, isSeal: boolean): Head {
    const { store, seals } = this.#parts;
    const { commit, batchId } = proposal.header;
    return {
      generation: store.head.generation + 1,
      epoch: store.head.epoch,
      commits: commit + 1,
      size: proposal.next.frontier.size,
      chainHead: proposal.next.chainHead,
      root: proposal.root,
      receivedUs: proposal.next.receivedUs,
      batchId,
      firstUnsealedCommit: isSeal ? commit : (seals.firstUnsealedCommit ?? commit),
      producers: marks.list(),
      landmarks: { ...store.head.landmarks, ...landmarksOf(proposal) },
    };
  }

  /** Opens what it signed: a faulty signature can give the key away. */
  #sign({ size, root }: Pick<Head, 'size' | 'root'>): SignedCheckpoint {
    const key = this.#key;
    const checkpoint = { origin: key.verifier.name, size, root };
    const note = signCheckpoint(checkpoint, key);
    const opened = openCheckpoint(note, key.verifier);
    if (checkpointBody(opened) !== checkpointBody(checkpoint))
      throw new DivergenceError('checkpoint changed while it was signed');
    return { ...checkpoint, note };
  }

  #fail(error: unknown): void {
    this.#closed = true;
    for (const each of [...this.#turns.splice(0), ...this.#queue.splice(0)])
      each.reject(new LedgerClosedError('the ledger has failed'));
    if (error instanceof DivergenceError) this.#parts.events.diverged(error);
    this.#parts.events.fatal(error);
  }
}

function landmarksOf({ drafts, header }: Proposal): Landmarks {
  const landmarks: { -readonly [name in keyof Landmarks]: Landmarks[name] } = {};
  for (const [i, { landmark }] of drafts.entries())
    if (landmark !== undefined) landmarks[landmark] = header.firstSeq + i;
  return landmarks;
}

function bytesOf({ drafts }: EventRequest): number {
  let bytes = 0;
  for (const { detail } of drafts) bytes += detail.length;
  return bytes;
}

function raise(marks: ProducerMarks, { producer, numbering, drafts }: EventRequest): void {
  if (numbering === undefined || drafts.length === 0) return;
  marks.raise({ producer, epoch: numbering.epoch, sequence: numbering.firstSequence + drafts.length - 1 });
}

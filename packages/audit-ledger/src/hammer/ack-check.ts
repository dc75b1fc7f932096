/** Holds every acknowledgement against what was promised: each event once in the log, under a signed checkpoint. */
import type { IngestEventsRequest, IngestEventsResponse } from '@sentinel/contracts/sentinel/v1/audit.js';
import { type Checkpoint, openCheckpoint } from '../note/checkpoint.js';
import type { VerifierKey } from '../note/keys.js';
import { NoteError } from '../note/note.js';
import { SeqSet } from './seq-set.js';

/** Broken promises that are kept word for word; all are counted. */
const KEPT_PROBLEMS = 20;
/** Notes whose signature was checked last: one commit answers many requests with the same. */
const KNOWN_NOTES = 64;

export class AckCheck {
  /** Events acknowledged. */
  acked = 0;
  /** Broken promises. */
  broken = 0;
  readonly problems: string[] = [];
  #newest: Checkpoint | undefined;
  readonly #key: VerifierKey;
  readonly #seen = new SeqSet();
  readonly #notes = new Map<string, Checkpoint>();

  constructor(key: VerifierKey) {
    this.#key = key;
  }

  /** The largest checkpoint that an acknowledgement carried. */
  get newest(): Checkpoint | undefined {
    return this.#newest;
  }

  take({ events }: Pick<IngestEventsRequest, 'events'>, { seqs, checkpoint: note }: IngestEventsResponse): void {
    if (seqs.length !== events.length) this.report(`${seqs.length} seqs for ${events.length} events`);
    this.acked += events.length;
    const checkpoint = this.#open(note);
    for (const each of seqs) {
      const seq = Number(each);
      if (checkpoint !== undefined && seq >= checkpoint.size)
        this.report(`entry ${seq} is acknowledged under a checkpoint of ${checkpoint.size}`);
      if (!this.#seen.add(seq)) this.report(`entry ${seq} is acknowledged for two events`);
    }
  }

  report(problem: string): void {
    this.broken += 1;
    if (this.problems.length < KEPT_PROBLEMS) this.problems.push(problem);
  }

  #open(note: string): Checkpoint | undefined {
    const known = this.#notes.get(note);
    if (known !== undefined) return known;
    try {
      const checkpoint = openCheckpoint(note, this.#key);
      this.#remember(note, checkpoint);
      return checkpoint;
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      this.report(error.message);
      return undefined;
    }
  }

  #remember(note: string, checkpoint: Checkpoint): void {
    for (const { size, root } of this.#notes.values()) {
      if (size === checkpoint.size && Buffer.compare(root, checkpoint.root) !== 0)
        this.report(`two signed checkpoints of ${size} entries have two roots`);
    }
    this.#notes.set(note, checkpoint);
    const oldest = this.#notes.keys().next();
    if (this.#notes.size > KNOWN_NOTES && oldest.done !== true) this.#notes.delete(oldest.value);
    if (checkpoint.size > (this.#newest?.size ?? -1)) this.#newest = checkpoint;
  }
}

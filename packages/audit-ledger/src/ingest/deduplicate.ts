/**
 * Retries. An event id stands for one content: the same again gets the seq it already has, another content is refused. A
 * numbered event at or below its producer's high-water mark is in the log even when the window has forgotten its id.
 */
import type { Draft } from '../commit/build.js';
import type { Leaf } from '../leaf/leaf.js';
import type { EventWindow } from './event-window.js';
import type { ProducerMarks } from './producers.js';

export interface StoredEvent {
  readonly leaf: Leaf;
  /** Undefined where it was pruned. */
  readonly detail: Uint8Array | undefined;
}

export interface EventLookup {
  byId(eventId: Uint8Array, candidates: readonly number[]): Promise<StoredEvent | undefined>;
  /** Searches the whole index: slow, for events below the high-water mark that the window has forgotten. */
  search(draft: Draft): Promise<StoredEvent | undefined>;
}

export interface EventRequest {
  readonly producer: string;
  /** Absent for producers that do not number their events. */
  readonly numbering: { readonly epoch: number; readonly firstSequence: number } | undefined;
  readonly drafts: readonly Draft[];
}

/** The event id is taken by another content: that of entry `seq`, or, where that is undefined, of the same request. */
export class EventConflictError extends Error {
  override readonly name = 'EventConflictError';
  readonly index: number;
  readonly seq: number | undefined;

  constructor(index: number, seq?: number) {
    const owner = seq === undefined ? 'an earlier event of this request' : `entry ${seq}`;
    super(`event id is already used by ${owner} with other content`);
    this.index = index;
    this.seq = seq;
  }
}

/** The number is at or below the high-water mark, but no such event is in the log. */
export class StaleNumberError extends Error {
  override readonly name = 'StaleNumberError';
  readonly index: number;

  constructor(index: number) {
    super('number is at or below the producer high-water mark, but this event is not in the log');
    this.index = index;
  }
}

/** Drafts that one group commit will append, and the seq that each event of its requests gets. */
export class Group {
  readonly drafts: Draft[] = [];
  readonly #seqs = new Map<string, number>();
  readonly #firstSeq: number;

  constructor(firstSeq: number) {
    this.#firstSeq = firstSeq;
  }

  find(key: string): { seq: number; draft: Draft } | undefined {
    const seq = this.#seqs.get(key);
    const draft = seq === undefined ? undefined : this.drafts[seq - this.#firstSeq];
    return seq === undefined || draft === undefined ? undefined : { seq, draft };
  }

  add(key: string, draft: Draft): number {
    const seq = this.#firstSeq + this.drafts.length;
    this.drafts.push(draft);
    this.#seqs.set(key, seq);
    return seq;
  }
}

export class Deduplicator {
  readonly #window: EventWindow;
  readonly #lookup: EventLookup;

  constructor(window: EventWindow, lookup: EventLookup) {
    this.#window = window;
    this.#lookup = lookup;
  }

  /** Seqs of a request's events; new ones are added to the group, all of them or, when one is refused, none. */
  async place(request: EventRequest, group: Group, marks: ProducerMarks): Promise<number[]> {
    const { drafts } = request;
    const keys = drafts.map(({ eventId }) => keyOf(eventId));
    const repeats = new Set(keys).size < keys.length;
    if (repeats) assertRepeatsSame(drafts, keys);
    const known = new Map<number, number>();
    for (const [index, draft] of drafts.entries()) {
      const key = keys[index] ?? '';
      if (this.#isNew(request, index, draft, key, group, marks)) continue;
      const seq = await this.#knownSeq(request, index, draft, key, group, marks);
      if (seq !== undefined) known.set(index, seq);
    }
    return drafts.map((draft, index) => {
      const key = keys[index] ?? '';
      return known.get(index) ?? (repeats ? group.find(key)?.seq : undefined) ?? group.add(key, draft);
    });
  }

  /** The common case, told from memory alone. */
  #isNew(
    { producer, numbering }: EventRequest,
    index: number,
    draft: Draft,
    key: string,
    group: Group,
    marks: ProducerMarks,
  ): boolean {
    if (group.find(key) !== undefined || this.#window.mayHold(draft.eventId)) return false;
    if (numbering === undefined) return true;
    return !marks.covers({ producer, epoch: numbering.epoch, sequence: numbering.firstSequence + index });
  }

  async #knownSeq(
    request: EventRequest,
    index: number,
    draft: Draft,
    key: string,
    group: Group,
    marks: ProducerMarks,
  ): Promise<number | undefined> {
    const inGroup = group.find(key);
    if (inGroup !== undefined) {
      if (!sameDraft(inGroup.draft, draft)) throw new EventConflictError(index, inGroup.seq);
      return inGroup.seq;
    }
    const stored = await this.#stored(request, index, draft, marks);
    if (stored === undefined) return undefined;
    if (!sameContent(stored, draft)) throw new EventConflictError(index, stored.leaf.seq);
    return stored.leaf.seq;
  }

  async #stored(
    { producer, numbering }: EventRequest,
    index: number,
    draft: Draft,
    marks: ProducerMarks,
  ): Promise<StoredEvent | undefined> {
    const candidates = this.#window.candidates(draft.eventId);
    const recent = candidates.length > 0 ? await this.#lookup.byId(draft.eventId, candidates) : undefined;
    if (recent !== undefined || numbering === undefined) return recent;
    if (!marks.covers({ producer, epoch: numbering.epoch, sequence: numbering.firstSequence + index }))
      return undefined;
    const old = await this.#lookup.search(draft);
    if (old === undefined) throw new StaleNumberError(index);
    return old;
  }
}

/** An id that a request repeats must stand for one content there too. */
function assertRepeatsSame(drafts: readonly Draft[], keys: readonly string[]): void {
  const firsts = new Map<string, Draft>();
  for (const [index, draft] of drafts.entries()) {
    const key = keys[index] ?? '';
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, draft);
    else if (!sameDraft(first, draft)) throw new EventConflictError(index);
  }
}

/**
 * The producer is not compared: after a failover another instance repeats the same event. Of a pruned detail its length
 * remains; the commitment is salted, and the salt is gone with it.
 */
function sameContent({ leaf, detail }: StoredEvent, draft: Draft): boolean {
  const sameDetail =
    detail === undefined ? leaf.detailLength === draft.detail.length : Buffer.compare(detail, draft.detail) === 0;
  return sameFields(leaf, draft) && sameDetail;
}

function sameDraft(a: Draft, b: Draft): boolean {
  return sameFields(a, b) && Buffer.compare(a.detail, b.detail) === 0;
}

type Fields = Pick<Draft, 'type' | 'injected' | 'eventUs' | 'gpu'>;

function sameFields(a: Fields, b: Fields): boolean {
  return a.type === b.type && a.injected === b.injected && a.eventUs === b.eventUs && a.gpu === b.gpu;
}

function keyOf(eventId: Uint8Array): string {
  return Buffer.from(eventId.buffer, eventId.byteOffset, eventId.byteLength).toString('latin1');
}

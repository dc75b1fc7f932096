/**
 * Retries. An event id stands for one content: the same again gets the seq it already has, another content is refused. A
 * numbered event at or below its producer's high-water mark is in the log even when the window has forgotten its id.
 */
import type { Draft } from '../commit/build.js';
import type { Leaf } from '../leaf/leaf.js';
import type { EventWindow } from './event-window.js';
import { PrintTable } from './print-table.js';
import type { ProducerMarks } from './producers.js';

const NOTHING = Buffer.alloc(0);

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
  readonly #firstSeq: number;
  readonly #expected: number;
  #places: PrintTable;

  /** `expected`: events of its requests. */
  constructor(firstSeq: number, expected: number) {
    this.#firstSeq = firstSeq;
    this.#expected = expected;
    this.#places = new PrintTable(expected);
  }

  /** Place among the drafts of the one with this id; undefined where none has it. */
  find(eventId: Uint8Array): number | undefined {
    if (!this.#places.has(eventId)) return undefined;
    return this.#places
      .values(eventId)
      .find((place) => Buffer.compare(this.drafts[place]?.eventId ?? NOTHING, eventId) === 0);
  }

  seqOf(place: number): number {
    return this.#firstSeq + place;
  }

  /** @returns its place */
  add(draft: Draft): number {
    const place = this.drafts.length;
    this.drafts.push(draft);
    this.#places.add(draft.eventId, place);
    return place;
  }

  /** Forgets all but the first `count` drafts. */
  rewind(count: number): void {
    this.drafts.length = count;
    this.#places = new PrintTable(this.#expected);
    for (const [place, { eventId }] of this.drafts.entries()) this.#places.add(eventId, place);
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
    const { drafts, producer, numbering } = request;
    const before = group.drafts.length;
    const markedUntil = numbering === undefined ? -1 : marks.upTo(producer, numbering.epoch) - numbering.firstSequence;
    const seqs: number[] = [];
    try {
      for (const [index, draft] of drafts.entries()) {
        const place = group.find(draft.eventId);
        const marked = index <= markedUntil;
        if (place !== undefined) seqs.push(seqInGroup(group, place, draft, index, before));
        else if (!marked && !this.#window.mayHold(draft.eventId)) seqs.push(group.seqOf(group.add(draft)));
        else seqs.push((await this.#knownSeq(draft, index, marked)) ?? group.seqOf(group.add(draft)));
      }
      return seqs;
    } catch (error) {
      if (group.drafts.length > before) group.rewind(before);
      throw error;
    }
  }

  async #knownSeq(draft: Draft, index: number, marked: boolean): Promise<number | undefined> {
    const stored = await this.#stored(draft, index, marked);
    if (stored === undefined) return undefined;
    if (!sameContent(stored, draft)) throw new EventConflictError(index, stored.leaf.seq);
    return stored.leaf.seq;
  }

  /** `marked`: its number is at or below the high-water mark of its producer. */
  async #stored(draft: Draft, index: number, marked: boolean): Promise<StoredEvent | undefined> {
    const candidates = this.#window.candidates(draft.eventId);
    const recent = candidates.length > 0 ? await this.#lookup.byId(draft.eventId, candidates) : undefined;
    if (recent !== undefined || !marked) return recent;
    const old = await this.#lookup.search(draft);
    if (old === undefined) throw new StaleNumberError(index);
    return old;
  }
}

/** An id stands for one content in a group too; `before`: drafts of requests before this one. */
function seqInGroup(group: Group, place: number, draft: Draft, index: number, before: number): number {
  const known = group.drafts[place];
  const seq = group.seqOf(place);
  if (known !== undefined && sameDraft(known, draft)) return seq;
  throw new EventConflictError(index, place < before ? seq : undefined);
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

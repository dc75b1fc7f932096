/**
 * Walks entries in order and says which of them are not what was logged. Each entry hash is known three times: from the
 * leaf's bytes, from the hash tile and from the next leaf's `prev`; two that agree convict the third.
 */
import type { Leaf } from '../leaf/leaf.js';
import type { Frontier, NodeSink } from '../tree/frontier.js';
import { leafHash } from '../tree/hash.js';
import { BrokenLinkError, checkDetail, checkLink, decodeOrBroken } from './link.js';

/** Findings kept; a log that is all wrong need not fill the memory to be known as such. */
export const MAX_FINDINGS = 1000;

export interface Finding {
  readonly seq: number;
  readonly what: string;
}

export interface WalkStart {
  readonly seq: number;
  /** Entry hash of seq - 1. */
  readonly prev: Uint8Array;
  /** Tree of the `seq` entries before. */
  readonly frontier: Frontier;
}

interface Step {
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly tileHash: Uint8Array | undefined;
}

export class Walker {
  readonly findings: Finding[] = [];
  /** All findings, also those beyond MAX_FINDINGS. */
  found = 0;
  readonly #frontier: Frontier;
  readonly #sink: NodeSink | undefined;
  #receivedUs = 0;
  #prev: Uint8Array;
  #last: Step | undefined;

  constructor(start: WalkStart, sink?: NodeSink) {
    this.#prev = start.prev;
    this.#frontier = start.frontier;
    this.#sink = sink;
  }

  get size(): number {
    return this.#frontier.size;
  }

  /** Root over everything walked, from the leaves' bytes. */
  root(): Buffer {
    return this.#frontier.root();
  }

  /** Takes the next leaf; `tileHash` is what the hash tile holds for it. The leaf, if it can be read. */
  push(bytes: Uint8Array, tileHash: Uint8Array | undefined): Leaf | undefined {
    const seq = this.#frontier.size;
    const hash = leafHash(bytes);
    const leaf = this.#decode(seq, bytes);
    this.#judgeLast(leaf?.prev);
    const intact = tileHash === undefined || Buffer.compare(hash, tileHash) === 0;
    if (leaf !== undefined && intact) this.#link(seq, bytes);
    this.#advance({ seq, hash, tileHash }, intact ? leaf?.receivedUs : undefined);
    return leaf;
  }

  /** Takes note of an entry whose bytes cannot be had. */
  pushMissing(tileHash: Uint8Array | undefined, what: string): void {
    const seq = this.#frontier.size;
    this.#judgeLast(undefined);
    this.report(seq, what);
    const hash = tileHash ?? leafHash(new Uint8Array());
    this.#advance({ seq, hash, tileHash: undefined }, undefined);
  }

  /** Takes an entry whose leaf was pruned: its hash remains, and has to lead to the signed root. */
  pushPruned(tileHash: Uint8Array | undefined): void {
    if (tileHash === undefined) return this.pushMissing(undefined, 'hash tile is damaged');
    this.#judgeLast(undefined);
    this.#advance({ seq: this.#frontier.size, hash: tileHash, tileHash: undefined }, undefined);
  }

  /** Checks 0x02 | salt | detail against the leaf that `push` gave for `seq`, whatever seq that leaf claims. */
  detail(seq: number, leaf: Leaf, preimage: Uint8Array): void {
    this.#attempt(seq, () => checkDetail(leaf, preimage));
  }

  /** To be called after the last entry, with its entry hash as the head states it. */
  finish(chainHead?: Uint8Array): void {
    this.#judgeLast(chainHead);
    this.#last = undefined;
  }

  report(seq: number, what: string): void {
    this.found += 1;
    if (this.findings.length < MAX_FINDINGS) this.findings.push({ seq, what });
  }

  #decode(seq: number, bytes: Uint8Array): Leaf | undefined {
    return this.#attempt(seq, () => decodeOrBroken(bytes));
  }

  #link(seq: number, bytes: Uint8Array): void {
    this.#attempt(seq, () => checkLink(bytes, { seq, prev: this.#prev, receivedUs: this.#receivedUs }));
  }

  /** Whether the last leaf or its hash tile is wrong, now that the next one says what it was. */
  #judgeLast(nextPrev: Uint8Array | undefined): void {
    const last = this.#last;
    if (last?.tileHash === undefined || Buffer.compare(last.hash, last.tileHash) === 0) return;
    const tileIsWrong = nextPrev !== undefined && Buffer.compare(last.hash, nextPrev) === 0;
    if (tileIsWrong) this.#prev = last.hash;
    this.report(
      last.seq,
      tileIsWrong ? 'hash tile does not hold the entry hash' : 'entry was altered: its hash is not the logged one',
    );
  }

  #advance(step: Step, receivedUs: number | undefined): void {
    this.#frontier.append(step.hash, this.#sink);
    this.#last = step;
    // Later links are judged by what was logged, so that one altered entry is one finding.
    this.#prev = step.tileHash ?? step.hash;
    this.#receivedUs = Math.max(this.#receivedUs, receivedUs ?? 0);
  }

  #attempt<T>(seq: number, check: () => T): T | undefined {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof BrokenLinkError)) throw error;
      this.report(seq, error.message);
      return undefined;
    }
  }
}

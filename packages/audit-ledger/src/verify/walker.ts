/**
 * Walks entries in order and says which of them are not what was logged. Each entry hash is known three times: from the
 * leaf's bytes, from the hash tile and from the next leaf's `prev`; two that agree convict the third.
 */
import type { LeafView } from '../leaf/leaf.js';
import type { Frontier, NodeSink } from '../tree/frontier.js';
import { type Digest, leafDigest } from '../tree/hash.js';
import { BrokenLinkError, checkDetail, checkLink, leafOrBroken } from './link.js';

/** Findings kept; a log that is all wrong need not fill the memory to be known as such. */
export const MAX_FINDINGS = 1000;

export interface Finding {
  readonly seq: number;
  readonly what: string;
}

export interface WalkStart {
  readonly seq: number;
  /** Entry hash of seq - 1. */
  readonly prev: Digest;
  /** Tree of the `seq` entries before. */
  readonly frontier: Frontier;
}

interface Step {
  readonly seq: number;
  readonly hash: Digest;
  readonly tileHash: Digest | undefined;
}

export class Walker {
  readonly findings: Finding[] = [];
  /** All findings, also those beyond MAX_FINDINGS. */
  found = 0;
  readonly #frontier: Frontier;
  readonly #sink: NodeSink | undefined;
  #receivedUs = 0;
  #prev: Digest;
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
  push(bytes: Uint8Array, tileHash: Digest | undefined): LeafView | undefined {
    const seq = this.#frontier.size;
    const hash = leafDigest(bytes);
    const leaf = this.#attempt(seq, () => leafOrBroken(bytes));
    this.#judgeLast(leaf);
    const intact = tileHash === undefined || hash === tileHash;
    if (leaf !== undefined && intact) this.#link(seq, leaf);
    this.#advance({ seq, hash, tileHash }, intact ? leaf?.receivedUs : undefined);
    return leaf;
  }

  /** Takes note of an entry whose bytes cannot be had. */
  pushMissing(tileHash: Digest | undefined, what: string): void {
    const seq = this.#frontier.size;
    this.#judgeLast(undefined);
    this.report(seq, what);
    const hash = tileHash ?? leafDigest(new Uint8Array());
    this.#advance({ seq, hash, tileHash: undefined }, undefined);
  }

  /** Takes an entry whose leaf was pruned: its hash remains, and has to lead to the signed root. */
  pushPruned(tileHash: Digest | undefined): void {
    if (tileHash === undefined) return this.pushMissing(undefined, 'hash tile is damaged');
    this.#judgeLast(undefined);
    this.#advance({ seq: this.#frontier.size, hash: tileHash, tileHash: undefined }, undefined);
  }

  /** Checks 0x02 | salt | detail against the leaf that `push` gave for `seq`, whatever seq that leaf claims. */
  detail(seq: number, leaf: LeafView, preimage: Uint8Array): void {
    this.#attempt(seq, () => checkDetail(leaf, preimage));
  }

  /** To be called after the last entry. */
  finish(): void {
    this.#judgeLast(undefined);
    this.#last = undefined;
  }

  report(seq: number, what: string): void {
    this.found += 1;
    if (this.findings.length < MAX_FINDINGS) this.findings.push({ seq, what });
  }

  #link(seq: number, leaf: LeafView): void {
    this.#attempt(seq, () => checkLink(leaf, { seq, prev: this.#prev, receivedUs: this.#receivedUs }));
  }

  /** Whether the last leaf or its hash tile is wrong, now that the next one says what it was. */
  #judgeLast(next: LeafView | undefined): void {
    const last = this.#last;
    if (last?.tileHash === undefined || last.hash === last.tileHash) return;
    const tileIsWrong = next?.follows(last.hash) === true;
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

/**
 * One bit flips in the memory of a ledger that commits: in what it has encoded, in what it derived from that, or in the state
 * that the batch continues, at any moment until the head is swapped. Whatever is signed must be what was encoded.
 */
import { randomBytes } from 'node:crypto';
import { type Batch, buildBatch } from '../commit/build.js';
import { Ledger } from '../commit/ledger.js';
import { entryPreimages } from '../commit/record.js';
import { inPlace, type SecondPath } from '../commit/second-path.js';
import { Sequencer } from '../commit/sequencer.js';
import { Deduplicator } from '../ingest/deduplicate.js';
import { storeLookup } from '../ingest/lookup.js';
import { fileBackend } from '../storage/file/file-backend.js';
import type { Head } from '../storage/head.js';
import type { LedgerStore } from '../storage/store.js';
import { Frontier } from '../tree/frontier.js';
import { leafHash, sha256 } from '../tree/hash.js';
import { merkleTreeHash } from '../tree/mth.js';
import { rangeNodes } from '../tree/ranges.js';
import { verifyLog } from '../verify/verify-log.js';
import { draftOf, freshFolder, openTestLedger, recordedEvents, requestOf, TEST_KEY } from './ledgers.js';
import { PowerLossDisk } from './power-loss-disk.js';

/** A fresh log is begun when it has so many entries. */
const LOG_ENTRIES = 200;
const MOST_EVENTS = 6;
/** Operations on the disk from the first byte of a batch to the swap; a moment beyond is the swap itself. */
const DISK_OPERATIONS = 10;

const TARGETS = [
  'entries',
  'details',
  'tile',
  'batch root',
  'chain head',
  'head root',
  'head chain',
  'before',
] as const;
type Target = (typeof TARGETS)[number];

export interface FlipCounts {
  trials: number;
  /** Batches that were dropped with nothing signed. */
  dropped: number;
  /** Trials whose flip touched nothing that is stored or signed any more; everything was as encoded. */
  harmless: number;
  /** Signed checkpoints that are not of what was encoded, or whose log does not verify. */
  signed: number;
  readonly problems: string[];
}

/** `random`: 0 to 1. */
export async function flipInMemory(
  trials: number,
  random: () => number,
  secondPath: SecondPath = inPlace,
): Promise<FlipCounts> {
  const counts: FlipCounts = { trials: 0, dropped: 0, harmless: 0, signed: 0, problems: [] };
  let folder = '';
  let size = Number.POSITIVE_INFINITY;
  while (counts.trials < trials) {
    if (size > LOG_ENTRIES) {
      folder = freshFolder();
      await (await openTestLedger(folder)).close();
    }
    size = await new Trial(folder, random, counts, secondPath).run().catch((error: unknown) => {
      counts.signed += 1;
      counts.problems.push(`the log does not open again: ${String(error)}`);
      return Number.POSITIVE_INFINITY;
    });
    counts.trials += 1;
  }
  return counts;
}

class Trial {
  readonly #folder: string;
  readonly #random: () => number;
  readonly #counts: FlipCounts;
  readonly #secondPath: SecondPath;
  readonly #target: Target;
  /** Disk operations until the flip; before the second path where it is -1. */
  #wait: number;
  #batch: Batch | undefined;
  #head: Head | undefined;
  #flipped = false;
  /** Entry hashes of the log, as encoded. */
  #truth: Uint8Array[] = [];

  constructor(folder: string, random: () => number, counts: FlipCounts, secondPath: SecondPath) {
    this.#folder = folder;
    this.#random = random;
    this.#counts = counts;
    this.#secondPath = secondPath;
    this.#target = TARGETS[this.#below(TARGETS.length)] ?? 'entries';
    const early = this.#target === 'before' || (random() < 0.5 && !this.#target.startsWith('head'));
    this.#wait = early ? -1 : this.#below(DISK_OPERATIONS);
  }

  /** @returns the size of the log afterwards */
  async run(): Promise<number> {
    const { ledger, store } = await this.#open();
    this.#truth = (await store.readLeaves(0, store.head.size)).map((leaf) => leafHash(leaf ?? new Uint8Array()));
    const drafts = Array.from({ length: 1 + this.#below(MOST_EVENTS) }, (_, n) => draftOf(n));
    const outcome = await ledger.ingest(requestOf(drafts)).then(
      ({ checkpoint }) => checkpoint,
      () => undefined,
    );
    await ledger.close();
    await store.close();
    if (outcome === undefined) this.#counts.dropped += 1;
    const what = await this.#wrong(outcome);
    if (what === undefined && outcome !== undefined) this.#counts.harmless += 1;
    if (what !== undefined) {
      this.#counts.signed += 1;
      this.#counts.problems.push(`${this.#target}, after ${this.#wait}: ${what}`);
    }
    return what === undefined ? this.#truth.length : Number.POSITIVE_INFINITY;
  }

  /** What is signed and wrong, in words. */
  async #wrong(signed: { size: number; root: Uint8Array } | undefined): Promise<string | undefined> {
    if (signed !== undefined && Buffer.compare(signed.root, merkleTreeHash(this.#truth)) !== 0)
      return 'the signed root is not that of what was encoded';
    const found = await this.#findings();
    if (found === undefined || signed !== undefined) return found;
    // The batch that was dropped left its beginning behind the records, and the flip may be in it: a start removes that.
    await (await openTestLedger(this.#folder)).close();
    return await this.#findings();
  }

  /** What a full verification finds; undefined = nothing. */
  async #findings(): Promise<string | undefined> {
    const source = await fileBackend({ directory: this.#folder }).openSource();
    const report = await verifyLog(source, TEST_KEY.verifier).finally(() => source.close());
    return report.ok ? undefined : JSON.stringify(report.findings.slice(0, 3));
  }

  async #open(): Promise<{ ledger: Ledger; store: LedgerStore }> {
    const disk = new PowerLossDisk();
    disk.honest = false;
    const backend = fileBackend({ directory: this.#folder, disk });
    const options = { verifier: TEST_KEY.verifier, acceptRollback: false, mayBegin: true, nowUs: Date.now() * 1000 };
    const opened = await backend.openWriter({ ...options, newEpochId: randomBytes(16) });
    const { state, shadow, window, seals } = opened;
    const store = this.#watched(opened.store);
    disk.before = (operation) => this.#tick(operation);
    const sequencer = new Sequencer(state, shadow, this.#secondPath, (before, input) => this.#build(before, input));
    const ledger = new Ledger({
      store,
      sequencer,
      window,
      seals,
      deduplicator: new Deduplicator(window, storeLookup(store)),
      key: TEST_KEY,
      groupEntries: 8192,
      nowUs: () => Date.now() * 1000,
      randomBytes,
      events: recordedEvents(),
    });
    return { ledger, store };
  }

  readonly #build: typeof buildBatch = (before, input) => {
    const state = this.#target === 'before' ? this.#damaged(before) : before;
    const batch = buildBatch(state, input);
    this.#batch = batch;
    if (this.#target !== 'before')
      this.#truth = [...this.#truth, ...entryPreimages(Buffer.from(batch.entries)).map((preimage) => sha256(preimage))];
    if (this.#wait === -1) this.#flip();
    return batch;
  };

  /** The state that the batch continues, with one bit flipped. */
  #damaged(before: Parameters<typeof buildBatch>[0]): Parameters<typeof buildBatch>[0] {
    this.#flipped = true;
    if (this.#random() < 0.5) return { ...before, chainHead: this.#flipBit(Buffer.from(before.chainHead)) };
    const subtrees = rangeNodes({ start: 0, end: this.#truth.length }).map(({ level, index }) => {
      const first = index * 2 ** level;
      return { level, hash: Buffer.from(merkleTreeHash(this.#truth.slice(first, first + 2 ** level))) };
    });
    const damaged = subtrees[this.#below(subtrees.length)];
    if (damaged !== undefined) this.#flipBit(damaged.hash);
    return { ...before, frontier: Frontier.fromSubtrees(subtrees) };
  }

  #watched(store: LedgerStore): LedgerStore {
    const commit: LedgerStore['commit'] = async (batch, head) => {
      this.#head = head;
      if (this.#wait === 0) this.#flip();
      await store.commit(batch, head);
    };
    return new Proxy(store, {
      get: (target, property) => {
        if (property === 'commit') return commit;
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  #tick(operation: string): void {
    if (this.#head === undefined || this.#wait < 0) return;
    this.#wait -= 1;
    if (this.#wait === 0 || operation === 'link') this.#flip();
  }

  #flip(): void {
    const [batch, head] = [this.#batch, this.#head];
    if (this.#flipped || batch === undefined) return;
    this.#flipped = true;
    this.#wait = -1;
    const bytes: Readonly<Record<Target, Uint8Array | undefined>> = {
      entries: batch.entries,
      details: batch.details,
      tile: batch.columns[this.#below(batch.columns.length)],
      'batch root': batch.batchRoot,
      'chain head': batch.next.chainHead,
      'head root': head?.root,
      'head chain': head?.chainHead,
      before: undefined,
    };
    const target = bytes[this.#target];
    if (target !== undefined) this.#flipBit(target);
  }

  #flipBit<T extends Uint8Array>(bytes: T): T {
    const bit = this.#below(bytes.length * 8);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return bytes;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

import { SentinelError } from '../errors.js';
import { type Position, SEGMENT_HEADER, SegmentLog, type SegmentLogOptions } from '../segment-log/index.js';
import { decodeEntry, type Entry, type EntryKind, encodeEntry } from './entry.js';
import type { FileTally } from './file-tally.js';
import { type Recovered, recover } from './recover.js';
import type { SequenceIndex } from './sequence-index.js';
import type { SpoolFolder } from './spool-folder.js';

/** Above what a full batch of runs takes, below what the engine accepts. */
export const MAX_RECORD_BYTES = 4 * 1024 * 1024;

/** A spool has about so many files: the unit in which room is made. */
const SEGMENTS = 32;
const MIN_SEGMENT_BYTES = 16 * 1024;
const MAX_SEGMENT_BYTES = 8 * 1024 * 1024;

/** Share of the entries that must be in vain before files are written anew for their sake alone. */
const WORTH_REWRITING = 0.1;

/** What the spool must know of what it keeps. */
export interface Payloads<P> {
  encode(payload: P): Uint8Array;
  /** 'gap' = nothing is left to give up. */
  kindOf(payload: P): EntryKind;
  /** What is left of a payload for which there is no room any more. */
  giveUp(bytes: Uint8Array): Uint8Array;
}

/** Cumulative: the engine has decided from records up to the one, and needs none up to the other any more. */
export interface Ack {
  readonly committedThrough: bigint;
  readonly archivedThrough: bigint;
}

export interface SpoolOptions<P> {
  readonly folder: SpoolFolder;
  /** Beyond it the oldest payloads are given up. */
  readonly maxBytes: number;
  /** Configuration key of maxBytes, named in errors. */
  readonly maxBytesKey: string;
  readonly payloads: Payloads<P>;
  /** Before an acknowledgement lets records be forgotten. */
  readonly onAcknowledged?: (spool: Spool<P>, ack: Ack) => Promise<void>;
  readonly files?: SegmentLogOptions['files'];
}

/**
 * Write-ahead log of the records that the engine has not archived yet. A record has its sequence for ever: it is durable before
 * anybody sees the number, and a restart, however it came about, goes on with the next one.
 */
export class Spool<P> {
  readonly spoolId: Buffer;
  readonly #options: SpoolOptions<P>;
  readonly #log: SegmentLog;
  readonly #index: SequenceIndex;
  readonly #limit: number;
  readonly #tally: FileTally;
  #changes: Promise<unknown> = Promise.resolve();

  private constructor(options: SpoolOptions<P>, log: SegmentLog, { index, tally }: Recovered, limit: number) {
    this.spoolId = options.folder.spoolId;
    this.#options = options;
    this.#log = log;
    this.#index = index;
    this.#tally = tally;
    this.#limit = limit;
  }

  /** @throws SentinelError where another process has it, or it is damaged */
  static async open<P>(options: SpoolOptions<P>): Promise<Spool<P>> {
    const { folder, maxBytes, files } = options;
    const maxSegmentBytes = Math.min(MAX_SEGMENT_BYTES, Math.max(MIN_SEGMENT_BYTES, Math.floor(maxBytes / SEGMENTS)));
    const logOptions = { dir: folder.dir, maxSegmentBytes, maxRecordBytes: MAX_RECORD_BYTES + 16 };
    const log = await SegmentLog.open(files === undefined ? logOptions : { ...logOptions, files });
    try {
      return new Spool(options, log, await recover(folder.dir, log.read()), maxBytes - maxSegmentBytes);
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  /** Newest record that is durable; 0 = none was ever. */
  get lastSequence(): bigint {
    return this.#index.last;
  }

  /** Records that are owed to the engine. */
  get records(): number {
    return this.#index.size;
  }

  get bytes(): number {
    return this.#log.bytes;
  }

  /**
   * Resolves with the record's sequence when it is durable.
   * @throws SentinelError RESOURCE_EXHAUSTED while there is no room: nothing was kept, a later try may succeed
   */
  append(payload: P): Promise<bigint> {
    const { payloads } = this.#options;
    const bytes = payloads.encode(payload);
    return this.#alone(async () => {
      await this.#makeRoom(bytes.length);
      const sequence = this.#index.last + 1n;
      const kind = payloads.kindOf(payload);
      const [position] = await this.#log.append([encodeEntry({ kind, sequence, payload: bytes })]);
      if (position === undefined) throw new RangeError('the log gave no position');
      this.#index.append({ ...position, kind });
      this.#tally.add(position.segment);
      return sequence;
    });
  }

  /** Payload of a record that is owed. */
  async read(sequence: bigint): Promise<Uint8Array> {
    for (;;) {
      const slot = this.#index.at(sequence);
      if (slot === undefined) throw new RangeError(`the spool has no record ${sequence}`);
      try {
        return payloadOf(decodeEntry(await this.#log.readAt(slot)));
      } catch (error) {
        // Making room may have moved the record meanwhile.
        if (samePlace(slot, this.#index.at(sequence))) throw error;
      }
    }
  }

  /** Forgets what the engine has archived. */
  acknowledge(committedThrough: bigint, archivedThrough: bigint): Promise<void> {
    return this.#alone(async () => {
      await this.#options.onAcknowledged?.(this, { committedThrough, archivedThrough });
      if (archivedThrough < this.#index.first) return;
      this.#index.forgetThrough(archivedThrough);
      const needed = this.#index.oldestSegment ?? this.#log.end.segment;
      if (needed > (this.#tally.oldest ?? needed)) await this.#rewrite([]);
    });
  }

  /** Oldest sequence that is still owed. */
  get firstSequence(): bigint {
    return this.#index.first;
  }

  /**
   * Gives up what the engine refuses beyond `committedThrough`: sequences have no gap, so that a record which is refused for ever
   * would keep back all that comes after it. Resolves with how many records it was.
   */
  giveUpRefused(committedThrough: bigint, isRefused: (bytes: Uint8Array) => boolean): Promise<number> {
    return this.#alone(async () => {
      const given: Owed[] = [];
      const from = committedThrough < this.#index.first ? this.#index.first : committedThrough + 1n;
      for (let sequence = from; sequence <= this.#index.last; sequence += 1n) {
        const entry = await this.#evidenceAt(sequence);
        if (entry !== undefined && isRefused(entry.payload)) given.push(this.#giveUp(entry));
      }
      if (given.length > 0) await this.#rewrite(given);
      return given.length;
    });
  }

  async close(): Promise<void> {
    await this.#changes;
    await this.#log.close();
  }

  /** Appends and acknowledgements wait for each other. */
  #alone<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#changes.then(change);
    this.#changes = done.catch(() => {});
    return done;
  }

  /** A record that is owed and not yet given up. */
  async #evidenceAt(sequence: bigint): Promise<Owed | undefined> {
    const slot = this.#index.at(sequence);
    if (slot === undefined || slot.kind === 'gap') return undefined;
    const entry = decodeEntry(await this.#log.readAt(slot));
    return entry.kind === 'forgotten' ? undefined : entry;
  }

  async #makeRoom(incoming: number): Promise<void> {
    // Two rounds through all files win everything that can be.
    for (let tries = 2 * SEGMENTS; this.#log.bytes + incoming > this.#limit; tries -= 1) {
      if (tries === 0 || !(await this.#evictOldestFile())) throw full(this.#options);
    }
  }

  /** Writes what is left of the oldest file anew and removes it. False where nothing would be won. */
  async #evictOldestFile(): Promise<boolean> {
    const segment = this.#index.oldestSegment;
    if (segment === undefined || segment === this.#log.end.segment) return false;
    const victim: EntryKind = this.#index.count('passing') > 0 ? 'passing' : 'mismatch';
    const inVain = this.#tally.shareInVain(this.#index.size);
    if (this.#index.count(victim) === 0 && inVain < WORTH_REWRITING) return false;
    const kept: Owed[] = [];
    for await (const { position, record } of this.#log.read({ segment, offset: SEGMENT_HEADER.length })) {
      if (position.segment !== segment) break;
      const entry = decodeEntry(record);
      if (entry.kind === 'forgotten' || !samePlace(position, this.#index.at(entry.sequence))) continue;
      kept.push(entry.kind === victim ? this.#giveUp(entry) : entry);
    }
    await this.#rewrite(kept);
    return true;
  }

  #giveUp({ sequence, payload }: Owed): Owed {
    return { kind: 'gap', sequence, payload: this.#options.payloads.giveUp(payload) };
  }

  /** Appends entries that replace earlier ones, notes what is forgotten, then removes the files that nothing needs any more. */
  async #rewrite(entries: readonly Owed[]): Promise<void> {
    const mark: Entry = { kind: 'forgotten', sequence: this.#index.first - 1n };
    const [marked, ...positions] = await this.#log.append([mark, ...entries].map(encodeEntry));
    for (const { segment } of [marked, ...positions].filter((position) => position !== undefined))
      this.#tally.add(segment);
    entries.forEach(({ kind, sequence }, k) => {
      const position = positions[k];
      if (position !== undefined) this.#index.replace(sequence, { ...position, kind });
    });
    const needed = Math.min(this.#index.oldestSegment ?? Number.POSITIVE_INFINITY, marked?.segment ?? 0);
    await this.#log.dropBefore({ segment: needed, offset: 0 });
    this.#tally.dropBefore(needed);
  }
}

type Owed = Exclude<Entry, { kind: 'forgotten' }>;

function payloadOf(entry: Entry): Uint8Array {
  if (entry.kind === 'forgotten') throw new RangeError('the index points at no record');
  return entry.payload;
}

function samePlace(a: Position, b: Position | undefined): boolean {
  return a.segment === b?.segment && a.offset === b.offset;
}

function full({ folder, maxBytes, maxBytesKey }: SpoolOptions<never>): SentinelError {
  return new SentinelError({
    code: 'RESOURCE_EXHAUSTED',
    field: maxBytesKey,
    message: `the spool ${folder.dir} has its ${maxBytes} bytes full of what cannot be given up and takes no other record`,
    hint: `Connect the engine, or raise ${maxBytesKey}.`,
  });
}

import { UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type Position, SEGMENT_HEADER, SegmentLog, type SegmentLogOptions } from '@sentinel/service-kit/segment-log';
import type { AckJournal } from './ack-journal.js';
import { decodeEntry, type Entry, type EntryKind, encodeEntry } from './entry.js';
import type { FileTally } from './file-tally.js';
import { type GivenUp, giveUp, isOfTestBuild, kindOf } from './give-up.js';
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

export interface SpoolOptions {
  readonly folder: SpoolFolder;
  /** Beyond it the oldest payloads are replaced by their counts. */
  readonly maxBytes: number;
  readonly journal: AckJournal | null;
  /** What had to be given up: the spool was full, or the engine refuses what it holds. */
  readonly onGivenUp: (lost: GivenUp) => void;
  readonly files?: SegmentLogOptions['files'];
}

/**
 * Write-ahead log of the records that the engine has not archived yet. A record has its sequence for ever: it is durable before
 * anybody sees the number, and a restart, however it came about, goes on with the next one.
 */
export class Spool {
  readonly spoolId: Buffer;
  readonly #options: SpoolOptions;
  readonly #log: SegmentLog;
  readonly #index: SequenceIndex;
  readonly #limit: number;
  readonly #tally: FileTally;
  #changes: Promise<unknown> = Promise.resolve();

  private constructor(options: SpoolOptions, log: SegmentLog, { index, tally }: Recovered, limit: number) {
    this.spoolId = options.folder.spoolId;
    this.#options = options;
    this.#log = log;
    this.#index = index;
    this.#tally = tally;
    this.#limit = limit;
  }

  /** @throws SentinelError where another process has it, or it is damaged */
  static async open(options: SpoolOptions): Promise<Spool> {
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
  append(payload: UplinkPayload): Promise<bigint> {
    const bytes = UplinkPayload.encode(payload).finish();
    return this.#alone(async () => {
      await this.#makeRoom(bytes.length);
      const sequence = this.#index.last + 1n;
      const kind = kindOf(payload);
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

  /** Notes what the engine has in the journal, and forgets what it has archived. */
  acknowledge(committedThrough: bigint, archivedThrough: bigint): Promise<void> {
    return this.#alone(async () => {
      await this.#options.journal?.record(this, { committedThrough, archivedThrough });
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
   * Replaces by its counts what a test build left beyond `committedThrough`, for an engine that refuses such evidence.
   * Resolves with how many records it was.
   */
  giveUpTestBuilds(committedThrough: bigint): Promise<number> {
    return this.#alone(async () => {
      const given: Owed[] = [];
      const from = committedThrough < this.#index.first ? this.#index.first : committedThrough + 1n;
      for (let sequence = from; sequence <= this.#index.last; sequence += 1n) {
        const entry = await this.#evidenceAt(sequence);
        if (entry !== undefined && isOfTestBuild(entry.payload)) given.push(this.#giveUp(entry));
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
      if (tries === 0 || !(await this.#evictOldestFile())) throw full(this.#options.folder.dir, this.#options.maxBytes);
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
    const { lost, left } = giveUp(payload);
    this.#options.onGivenUp(lost);
    return { kind: 'gap', sequence, payload: left };
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

function full(dir: string, maxBytes: number): SentinelError {
  return new SentinelError({
    code: 'RESOURCE_EXHAUSTED',
    field: 'probe_agent.spool.max_bytes',
    message: `the spool ${dir} has its ${maxBytes} bytes full of counts and cannot take another record`,
    hint: 'Connect the engine, or raise probe_agent.spool.max_bytes.',
  });
}

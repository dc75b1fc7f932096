/** The head in the cluster: one row, changed by lightweight transactions alone. */
import { long } from '@sentinel/service-kit/cql/rows';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { types } from 'cassandra-driver';
import { StaleWriterError, UnknownOutcomeError } from '../errors.js';
import { count, decodeHeadFields, encodeHead, type Head, headOf } from '../head.js';
import type { Cluster } from './cluster.js';
import { bytesOf } from './log-rows.js';

/** How long a commit may wait to learn its outcome. */
export const PATIENCE_MS = 30_000;
const RETRY_MS = 250;

/** `producers` are stored apart. */
export interface ScyllaHead extends Head {
  /** First entry that no seal covers: that of `firstUnsealedCommit`. */
  readonly firstUnsealedSeq: number;
  /** Bytes of all batches. */
  readonly storedBytes: number;
  /** The writer that took the log last, in hexadecimal. */
  readonly owner: string;
}

export interface StoredHead {
  readonly head: ScyllaHead;
  /** Columns that the head itself says too, and where they differ. */
  readonly damaged: string;
}

const SELECT = 'SELECT epoch, size, chain_head, batch_id, owner, head FROM heads WHERE log = ?';
const INSERT =
  'INSERT INTO heads (log, epoch, size, chain_head, batch_id, owner, head) VALUES (?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS';
const CONDITION = 'WHERE log = ? IF epoch = ? AND size = ? AND chain_head = ?';
const TAKE = `UPDATE heads SET epoch = ?, owner = ?, head = ? ${CONDITION}`;
const SWAP = `UPDATE heads SET size = ?, chain_head = ?, batch_id = ?, head = ? ${CONDITION}`;

export class HeadRow {
  readonly #cluster: Cluster;
  readonly #log: string;
  readonly #patienceMs: number;

  constructor(cluster: Cluster, log: string, patienceMs = PATIENCE_MS) {
    this.#cluster = cluster;
    this.#log = log;
    this.#patienceMs = patienceMs;
  }

  /** Undefined where nobody has written yet. @throws MalformedHeadError */
  async read(): Promise<StoredHead | undefined> {
    const row = await this.#cluster.serial(SELECT, [this.#log]);
    return row === undefined ? undefined : storedHead(row);
  }

  /** Makes `head` the newest one, of a new epoch. @returns false where somebody was faster */
  async takeOver(before: ScyllaHead | undefined, head: ScyllaHead): Promise<boolean> {
    const owner = Buffer.from(head.owner, 'hex');
    const epoch = long(head.epoch);
    const [query, params] =
      before === undefined
        ? [INSERT, [this.#log, epoch, long(0), bytes(head.chainHead), bytes(head.batchId), owner, encode(head)]]
        : [TAKE, [epoch, owner, encode(head), ...this.#unchanged(before)]];
    try {
      if (await this.#cluster.swap(query, params)) return true;
    } catch (error) {
      if (!passes(error)) throw error;
    }
    // Also where there was no answer: whoever owns it now took it.
    return (await this.read())?.head.owner === head.owner;
  }

  /**
   * The commit: `next` in place of `before`. Repeated while its outcome is not known, which is safe: it succeeds once at most.
   * @throws StaleWriterError where it was not made and never will be; UnknownOutcomeError
   */
  async swap(before: ScyllaHead, next: ScyllaHead): Promise<void> {
    const size = long(next.size);
    const params = [size, bytes(next.chainHead), bytes(next.batchId), encode(next), ...this.#unchanged(before)];
    let uncertain = false;
    for (const end = performance.now() + this.#patienceMs; ; await this.#cluster.pause(RETRY_MS)) {
      try {
        const applied = await this.#cluster.swap(SWAP, params).catch((error: unknown) => {
          if (!passes(error)) throw error;
          uncertain = true;
          return false;
        });
        if (applied) return;
        const row = await this.#cluster.serial(SELECT, [this.#log]);
        if (isMine(row, next)) return;
        if (!isSame(row, before)) throw verdict(row, before, uncertain);
      } catch (error) {
        if (error instanceof StaleWriterError || error instanceof UnknownOutcomeError) throw error;
        if (!passes(error) || performance.now() > end) throw new UnknownOutcomeError(error);
        continue;
      }
      if (performance.now() > end) throw new UnknownOutcomeError('the head could not be swapped');
    }
  }

  #unchanged({ epoch, size, chainHead }: ScyllaHead): unknown[] {
    return [this.#log, long(epoch), long(size), bytes(chainHead)];
  }
}

function isMine(row: types.Row | undefined, { batchId }: ScyllaHead): boolean {
  return row !== undefined && Buffer.compare(bytesOf(row.batch_id), batchId) === 0;
}

function isSame(row: types.Row | undefined, { epoch, size, chainHead }: ScyllaHead): boolean {
  return (
    row !== undefined &&
    Number(row.epoch) === epoch &&
    Number(row.size) === size &&
    bytesOf(row.chain_head).equals(chainHead)
  );
}

/** Another writer has the log. Where it has gone on, a swap without an answer may have come before it. */
function verdict(row: types.Row | undefined, before: ScyllaHead, uncertain: boolean): Error {
  const wentOn =
    row === undefined || Number(row.size) !== before.size || !bytesOf(row.chain_head).equals(before.chainHead);
  return uncertain && wentOn ? new UnknownOutcomeError(new StaleWriterError()) : new StaleWriterError();
}

function passes(error: unknown): boolean {
  return error instanceof SentinelError && error.code === 'UNAVAILABLE';
}

function storedHead(row: types.Row): StoredHead {
  const fields = decodeHeadFields(bytesOf(row.head));
  const head = {
    ...headOf(fields),
    firstUnsealedSeq: count(fields, 'first_unsealed_seq'),
    storedBytes: count(fields, 'stored_bytes'),
    owner: String(fields['owner']),
  };
  const damaged = [
    Number(row.epoch) === head.epoch ? '' : 'epoch',
    Number(row.size) === head.size ? '' : 'size',
    bytesOf(row.chain_head).equals(head.chainHead) ? '' : 'chain_head',
    bytesOf(row.batch_id).equals(head.batchId) ? '' : 'batch_id',
    bytesOf(row.owner).toString('hex') === head.owner ? '' : 'owner',
  ];
  return { head, damaged: damaged.filter((name) => name !== '').join(', ') };
}

function encode(head: ScyllaHead): Buffer {
  const { firstUnsealedSeq, storedBytes, owner } = head;
  const more = { first_unsealed_seq: firstUnsealedSeq, stored_bytes: storedBytes, owner };
  return encodeHead({ ...head, producers: [] }, more);
}

function bytes(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

import type { Ack } from '../spool/index.js';

/** Records sent and not yet committed, at most. */
export const WINDOW_RECORDS = 256;

/** Bytes of such records, at most; one record may be larger alone. */
export const WINDOW_BYTES = 4 * 1024 * 1024;

/** What the sender needs of the spool. */
export interface RecordSource {
  readonly lastSequence: bigint;
  /** The payload of a record that is still kept, else what stands in for it. */
  read(sequence: bigint): Promise<Uint8Array>;
  acknowledge(committedThrough: bigint, archivedThrough: bigint): Promise<void>;
}

/** The engine acknowledged what it cannot have. */
export class ImpossibleAck extends Error {}

/**
 * Sends records in order from one sequence on, as far as the window allows. Pure flow control: `send` writes one envelope and
 * resolves false when the stream is gone.
 */
export class Sender<Request> {
  readonly #source: RecordSource;
  readonly #seal: (sequence: bigint, payload: Uint8Array) => Request;
  readonly #send: (request: Request) => Promise<boolean>;
  readonly #windowRecords: () => number;
  #next: bigint;
  #committed: bigint;
  readonly #knownCommitted: bigint;
  #archived = 0n;
  #sizes = new Map<bigint, number>();
  #bytes = 0;
  #pumping: Promise<void> | undefined;

  /**
   * Starts after `archivedThrough`: what is committed alone is offered again, since the engine may have lost its history of it.
   * @param already what the engine may know of; an acknowledgement beyond that and beyond what was sent is impossible
   * @param windowRecords sent and not yet committed, at most; of one alone it is known which one the engine refused
   */
  constructor(
    source: RecordSource,
    already: Ack,
    seal: (sequence: bigint, payload: Uint8Array) => Request,
    send: (request: Request) => Promise<boolean>,
    windowRecords = () => WINDOW_RECORDS,
  ) {
    this.#source = source;
    this.#next = already.archivedThrough + 1n;
    this.#committed = already.archivedThrough;
    this.#knownCommitted = already.committedThrough;
    this.#seal = seal;
    this.#send = send;
    this.#windowRecords = windowRecords;
  }

  /** Sends what the window has room for. Rejects when a record cannot be read. */
  pump(): Promise<void> {
    this.#pumping ??= this.#sendAll().finally(() => {
      this.#pumping = undefined;
    });
    return this.#pumping;
  }

  async #sendAll(): Promise<void> {
    while (this.#next <= this.#source.lastSequence && this.#hasRoom()) {
      const sequence = this.#next;
      const payload = await this.#readOwed(sequence);
      if (payload === null) continue;
      this.#sizes.set(sequence, payload.length);
      this.#bytes += payload.length;
      const sent = this.#send(this.#seal(sequence, payload));
      this.#next += 1n;
      if (!(await sent)) return;
    }
  }

  /** Null where an acknowledgement made the record unnecessary meanwhile: `next` is beyond it then. */
  async #readOwed(sequence: bigint): Promise<Uint8Array | null> {
    try {
      const payload = await this.#source.read(sequence);
      return sequence === this.#next ? payload : null;
    } catch (error) {
      if (sequence === this.#next) throw error;
      return null;
    }
  }

  /**
   * Takes an acknowledgement; a repeated or an older one changes nothing.
   * @throws ImpossibleAck
   */
  async acknowledged({ committedThrough, archivedThrough }: Ack): Promise<void> {
    const sent = this.#next - 1n;
    if ((committedThrough > sent && committedThrough > this.#knownCommitted) || archivedThrough > committedThrough) {
      throw new ImpossibleAck(
        `the engine acknowledged ${committedThrough} (archived ${archivedThrough}), but ${sent} is the last record sent`,
      );
    }
    for (let sequence = this.#committed + 1n; sequence <= committedThrough; sequence += 1n) {
      this.#bytes -= this.#sizes.get(sequence) ?? 0;
      this.#sizes.delete(sequence);
    }
    if (committedThrough > this.#committed) this.#committed = committedThrough;
    if (archivedThrough > this.#archived) this.#archived = archivedThrough;
    // Of an earlier connection, whose answer was lost.
    if (this.#archived >= this.#next) this.#next = this.#archived + 1n;
    await this.#source.acknowledge(this.#committed, this.#archived);
    await this.pump();
  }

  #hasRoom(): boolean {
    const inFlight = this.#sizes.size;
    return inFlight === 0 || (inFlight < this.#windowRecords() && this.#bytes < WINDOW_BYTES);
  }
}

/** A connection on which nothing moves is closed after this time, and not at once: its next request may be under way. */
const IDLE_MS = 1_000;

const EMPTY_LINE = Buffer.from('\r\n');
/** What any hop may say of its own connection, whatever the server said of its (RFC 9112, section 9.6). */
const CLOSE = Buffer.from('Connection: close\r\n\r\n');

/** How the connection of a client ends while requests go on: its last answer says so, so that its next request takes another one. */
export class Drain {
  #state: 'no' | 'begun' | 'told' = 'no';
  #timer: NodeJS.Timeout | null = null;

  get begun(): boolean {
    return this.#state !== 'no';
  }

  begin(): void {
    this.#state = 'begun';
  }

  /** @param part of the last answer, up to the end of its head. @returns what is sent in its place; null = it has to stay as it is */
  tell(part: Buffer): Buffer | null {
    if (this.#state !== 'begun' || !part.subarray(-EMPTY_LINE.length).equals(EMPTY_LINE)) return null;
    this.#state = 'told';
    return Buffer.concat([part.subarray(0, -EMPTY_LINE.length), CLOSE]);
  }

  /** Something moved. @param close ends the connection, unless something is outstanding then */
  moved(close: () => void): void {
    this.stop();
    if (this.#state === 'told') close();
    if (this.#state !== 'begun') return;
    // A process that stood still reads what has come meanwhile, before it calls a connection idle.
    const timer = setTimeout(() => {
      setImmediate(() => {
        if (this.#timer === timer) close();
      });
    }, IDLE_MS);
    this.#timer = timer;
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/**
 * Payload of all agents together that may wait for its commit; each byte takes a dozen in memory until then, so this is 600 MB. While the
 * database is away a fleet would fill any memory with the windows of its streams.
 */
const MAX_WAITING_BYTES = 48 * 1024 * 1024;

/** What the streams of all agents have waiting for their commit. While it is full no stream is read; agents keep their records. */
export class WaitingRoom {
  readonly #maxBytes: number;
  readonly #outside = new Set<() => void>();
  #bytes = 0;

  constructor(maxBytes = MAX_WAITING_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#maxBytes;
  }

  enter(bytes: number): void {
    this.#bytes += bytes;
  }

  leave(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#outside.size === 0 || this.#bytes > this.#maxBytes / 2) return;
    const all = [...this.#outside];
    this.#outside.clear();
    for (const call of all) call();
  }

  /** Calls once there is room again; `forget` takes it back. */
  whenRoom(call: () => void): void {
    this.#outside.add(call);
  }

  forget(call: () => void): void {
    this.#outside.delete(call);
  }
}

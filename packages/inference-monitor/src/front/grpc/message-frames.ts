/** A longer message, and all after it, is not looked at: requests of others pass the same thread. */
const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;
const PREFIX_BYTES = 5;

/** Cuts one direction of a gRPC call into its messages; it looks and changes nothing. */
export class MessageFrames {
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Until the next message is whole, or its length is known. */
  #needed = PREFIX_BYTES;
  #lost = false;

  /** Whole messages without their prefix; compressed ones end the looking. */
  push(data: Buffer): Buffer[] {
    if (this.#lost) return [];
    this.#parts.push(data);
    this.#bytes += data.length;
    const found: Buffer[] = [];
    for (let message = this.#take(); message !== null; message = this.#take()) found.push(message);
    return found;
  }

  #take(): Buffer | null {
    if (this.#lost || this.#bytes < this.#needed) return null;
    const all = this.#parts.length === 1 && this.#parts[0] !== undefined ? this.#parts[0] : Buffer.concat(this.#parts);
    this.#parts = [all];
    const length = all.readUInt32BE(1);
    if (all[0] !== 0 || length > MAX_MESSAGE_BYTES) {
      this.#lost = true;
      this.#parts = [];
      return null;
    }
    const end = PREFIX_BYTES + length;
    this.#needed = end;
    if (all.length < end) return null;
    this.#needed = PREFIX_BYTES;
    this.#parts = [all.subarray(end)];
    this.#bytes -= end;
    return all.subarray(PREFIX_BYTES, end);
  }
}

import { type FileHandle, open } from 'node:fs/promises';
import { UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import type { Ack } from '@sentinel/service-kit/spool';
import { type RunRow, summarise } from '../reporting/summary.js';

/** Bytes read at once while looking for the last line. */
const CHUNK_BYTES = 64 * 1024;

/** One line of the journal: a record that the engine said it has. Integers are safe in JSON: a sequence counts records. */
export interface AckLine {
  /** 32 lower-case hexadecimal digits. */
  readonly spoolId: string;
  readonly sequence: number;
  /** Of the acknowledgement that covered the record first. */
  readonly committedThrough: number;
  readonly archivedThrough: number;
  /** Rows of the record in order; empty for events. */
  readonly runs: readonly RunRow[];
  /** The record had been given up before it was acknowledged: its counts in place of runs. */
  readonly gap?: { readonly runs: number; readonly executions: number; readonly mismatches: number };
}

interface Records {
  readonly spoolId: Buffer;
  readonly firstSequence: bigint;
  read(sequence: bigint): Promise<Uint8Array>;
}

/**
 * What the engine acknowledged, as this agent saw it, one JSON line per record, durable before the record may be forgotten. A
 * checker compares it with the engine's own stores.
 */
export class AckJournal {
  readonly #file: FileHandle;
  #end: number;
  #through: bigint;

  private constructor(file: FileHandle, end: number, through: bigint) {
    this.#file = file;
    this.#end = end;
    this.#through = through;
  }

  /** Opens or makes the journal and cuts off a line that a kill left unfinished. */
  static async open(path: string, spoolId: Buffer): Promise<AckJournal> {
    const file = await open(path, 'a+', 0o640);
    const { end, line } = await lastLine(file, (await file.stat()).size);
    await file.truncate(end);
    const last = line === '' ? undefined : (JSON.parse(line) as AckLine);
    return new AckJournal(file, end, last?.spoolId === spoolId.toString('hex') ? BigInt(last.sequence) : 0n);
  }

  /** Writes a line for every record that this acknowledgement covers and none before did. */
  async record(records: Records, ack: Ack): Promise<void> {
    const lines: string[] = [];
    const from = this.#through + 1n > records.firstSequence ? this.#through + 1n : records.firstSequence;
    for (let sequence = from; sequence <= ack.committedThrough; sequence += 1n) {
      lines.push(JSON.stringify(lineOf(records.spoolId, sequence, ack, await records.read(sequence))));
    }
    if (lines.length === 0) return;
    await this.#append(Buffer.from(`${lines.join('\n')}\n`));
    this.#through = ack.committedThrough;
  }

  async #append(bytes: Buffer): Promise<void> {
    try {
      await this.#file.appendFile(bytes);
      await this.#file.datasync();
      this.#end += bytes.length;
    } catch (error) {
      // Half a line would join the next one.
      await this.#file.truncate(this.#end).catch(() => {});
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function lineOf(spoolId: Buffer, sequence: bigint, ack: Ack, bytes: Uint8Array): AckLine {
  const payload = UplinkPayload.decode(bytes);
  const line = {
    spoolId: spoolId.toString('hex'),
    sequence: Number(sequence),
    committedThrough: Number(ack.committedThrough),
    archivedThrough: Number(ack.archivedThrough),
    runs: summarise(payload).rows,
  };
  if (payload.body?.$case !== 'gap') return line;
  const { runs, executions, mismatches } = payload.body.value;
  return { ...line, gap: { runs, executions, mismatches } };
}

/** The last whole line and where it ends. */
async function lastLine(file: FileHandle, size: number): Promise<{ end: number; line: string }> {
  let tail = Buffer.alloc(0);
  for (let start = size; start > 0; ) {
    const length = Math.min(CHUNK_BYTES, start);
    start -= length;
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, start);
    tail = Buffer.concat([buffer, tail]);
    const newline = tail.lastIndexOf(0x0a);
    const before = newline < 0 ? -1 : tail.lastIndexOf(0x0a, newline - 1);
    if (newline >= 0 && (before >= 0 || start === 0)) {
      return { end: start + newline + 1, line: tail.subarray(before + 1, newline).toString() };
    }
  }
  return { end: 0, line: '' };
}

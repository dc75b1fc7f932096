import { closeSync, copyFileSync, fstatSync, openSync, readSync, type Stats, statSync, truncateSync } from 'node:fs';

/** A log that grew beyond this is moved to FILE.1, over the one there: two of them are the most that a service takes. */
export const MAX_LOG_BYTES = 32 * 1024 * 1024;
/** How much of the end of a log is read to explain the end of its service. */
const TAIL_BYTES = 16 * 1024;

/** The file to which a service writes by itself: it goes on writing should the supervisor be killed. */
export class ServiceLog {
  readonly file: string;
  #startedAt = 0;

  constructor(file: string) {
    this.file = file;
  }

  /** A descriptor for the service's output; close it once the service has it. What the service writes is then its `tail`. */
  open(): number {
    this.trim();
    const fd = openSync(this.file, 'a', 0o644);
    this.#startedAt = fstatSync(fd).size;
    return fd;
  }

  /** Lines of the running or last run, newest last, at most `lines`. */
  tail(lines: number): string[] {
    try {
      return this.#readTail()
        .split('\n')
        .filter((line) => line !== '')
        .slice(-lines);
    } catch {
      return [];
    }
  }

  /** Keeps the log bounded. The service appends (O_APPEND), so that it may be cut under its hands. */
  trim(): void {
    if ((statOf(this.file)?.size ?? 0) <= MAX_LOG_BYTES) return;
    copyFileSync(this.file, `${this.file}.1`);
    truncateSync(this.file);
    this.#startedAt = 0;
  }

  #readTail(): string {
    const fd = openSync(this.file, 'r');
    try {
      const { size } = fstatSync(fd);
      const from = Math.max(this.#startedAt, size - TAIL_BYTES);
      const bytes = Buffer.alloc(Math.max(0, size - from));
      readSync(fd, bytes, 0, bytes.length, from);
      return bytes.toString('utf8');
    } finally {
      closeSync(fd);
    }
  }
}

function statOf(file: string): Stats | undefined {
  return statSync(file, { throwIfNoEntry: false });
}

interface LogRecord {
  readonly level?: unknown;
  readonly msg?: unknown;
}

const ERRORS: ReadonlySet<unknown> = new Set(['error', 'fatal']);

/** Why a service ended, as it said itself: its last error record, else what it wrote that is no record; '' = it said nothing. */
export function lastWords(lines: readonly string[]): string {
  const records = lines.map(parseRecord);
  const errors = records.filter((record) => ERRORS.has(record?.level));
  const said = errors.at(-1)?.msg;
  return typeof said === 'string' ? said : plainText(lines);
}

/** What a service wrote that is no log record: a configuration error has several lines. */
function plainText(lines: readonly string[]): string {
  return lines.filter((line) => parseRecord(line) === null).join('\n');
}

function parseRecord(line: string): LogRecord | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    return null;
  }
}

/**
 * Who writes a log at the moment. It keeps a second writer from taking over from one that is well; what keeps the log whole
 * when two write all the same is the epoch in the head.
 */
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { LogRows } from './log-rows.js';

const BEAT_MS = 2_000;
/** A writer that has not been heard of for so long is gone. */
const GONE_S = 10;
const LOOK_MS = 500;

const INSERT = `INSERT INTO writers (log, owner, host, pid) VALUES (?, ?, ?, ?) USING TTL ${GONE_S}`;
const DELETE = 'DELETE FROM writers WHERE log = ? AND owner = ?';
const SELECT = 'SELECT owner, host, pid, writetime(pid) AS beat FROM writers WHERE log = ?';

interface Writer {
  readonly owner: string;
  readonly host: string;
  readonly pid: number;
  /** Changes with every sign of life. */
  readonly beat: string;
}

export class Presence {
  readonly #rows: LogRows;
  readonly #owner: Buffer;
  readonly #timer: NodeJS.Timeout;

  private constructor(rows: LogRows, owner: Buffer) {
    this.#rows = rows;
    this.#owner = owner;
    // A beat that is missed costs nothing but that a second writer would not be kept away.
    this.#timer = setInterval(() => void this.#beat().catch(() => undefined), BEAT_MS).unref();
  }

  /** Waits until no other writer shows a sign of life. @throws SentinelError FAILED_PRECONDITION where one does */
  static async claim(rows: LogRows, owner: Buffer): Promise<Presence> {
    const first = await others(rows);
    for (let still = first; still.length > 0; still = await others(rows)) {
      const alive = still.find(({ owner, beat }) => first.some((then) => then.owner === owner && then.beat !== beat));
      if (alive !== undefined) throw atWork(alive);
      await delay(LOOK_MS);
    }
    const presence = new Presence(rows, owner);
    await presence.#beat();
    return presence;
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#rows.cluster.write([{ query: DELETE, params: [this.#rows.log, this.#owner] }]).catch(() => undefined);
  }

  async #beat(): Promise<void> {
    await this.#rows.cluster.write([{ query: INSERT, params: [this.#rows.log, this.#owner, hostname(), process.pid] }]);
  }
}

/** Other writers, but for those of this machine that ended without a word. */
async function others({ cluster, log }: LogRows): Promise<Writer[]> {
  const found: Writer[] = [];
  for await (const row of cluster.rows(SELECT, [log])) {
    const writer = { owner: String(row.owner), host: String(row.host), pid: Number(row.pid), beat: String(row.beat) };
    if (!hasEnded(writer)) found.push(writer);
  }
  return found;
}

/** The own process number is that of an earlier life in the same container. */
function hasEnded({ host, pid }: Writer): boolean {
  if (host !== hostname()) return false;
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function atWork({ host, pid }: Writer): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    reason: 'STALE_OWNER',
    message: `another writer uses this log: process ${pid} on ${host}`,
    hint: 'A log has one writer; stop that one first, or start this one with --mode reader.',
  });
}

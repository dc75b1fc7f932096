/** kill -9 of a real writer at random moments, while several producers send and send again. */
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@sentinel/test-kit';
import { Load } from '../hammer/load.js';
import { parseVerifierKey } from '../note/keys.js';
import { TrailCheck } from './trail-check.js';
import { clientOf } from './wire.js';
import { WriterProcess } from './writer-process.js';

const PRODUCERS = 4;
const RATE = 2_000;
const EVENTS_PER_REQUEST = 4;
const WINDOW_EVENTS = 400;
/** How long a writer may live once it acknowledges, and how long it has to begin. */
const MOST_LIFE_MS = 200;
const MOST_SILENCE_MS = 5_000;
/** Share of kills that come while the writer starts. */
const WHILE_STARTING = 0.25;
/** A guess, before one was seen. */
const FIRST_START_MS = 1_000;
const FINISH_MS = 60_000;
const LOGGED_KILLS = 50;

export interface KillOptions {
  readonly kills: number;
  /** 0 to 1. */
  readonly random: () => number;
  readonly config?: { readonly [key: string]: unknown };
  /** A mutant to load into the writer. */
  readonly preload?: string;
  readonly log: (line: string) => void;
}

export interface KillOutcome {
  readonly acked: number;
  readonly lost: number;
  readonly doubled: number;
  /** Acknowledgements that are wrong in themselves, and what `verify --full` finds. */
  readonly broken: number;
  readonly slowestReadyMs: number;
}

/** Rejects where a writer does not start again. */
export async function killAtRandom(options: KillOptions): Promise<KillOutcome> {
  const { log } = options;
  const address = `127.0.0.1:${await freePort()}`;
  await using writer = new WriterProcess({ ...options.config, listen_address: address });
  if (options.preload !== undefined) writer.command = [process.execPath, '--import', options.preload];
  const trail = new TrailCheck();
  const load = new Load({
    connect: () => clientOf(address),
    key: parseVerifierKey(writer.verifierKey),
    run: 'kills',
    producers: PRODUCERS,
    eventsPerRequest: EVENTS_PER_REQUEST,
    rate: RATE,
    windowEvents: WINDOW_EVENTS,
    onAck: trail.noteAck,
  });
  load.start();
  let slowestReadyMs: number;
  try {
    slowestReadyMs = await killRepeatedly(writer, trail, options);
    await writer.start();
  } catch (error) {
    await load.finish(0);
    throw error;
  }
  await load.finish(FINISH_MS);
  const client = clientOf(address);
  await trail.compare(client).finally(() => client.close());
  await writer.signal('SIGTERM');
  const verified = await writer.run('verify', '--full');
  for (const problem of load.check.problems) log(problem);
  log(`${trail.acked} entries acknowledged, ${trail.entries} in the log; ${verified.output.trim()}`);
  const broken = load.check.broken + load.unacked + (verified.code === 0 ? 0 : 1);
  return { acked: trail.acked, lost: trail.lost, doubled: trail.doubled, broken, slowestReadyMs };
}

/** How long the slowest start took, of those that were not killed, in ms. */
async function killRepeatedly(writer: WriterProcess, trail: TrailCheck, options: KillOptions): Promise<number> {
  const { kills, random, log } = options;
  let [startMs, slowestReadyMs] = [FIRST_START_MS, 0];
  for (let kill = 1; kill <= kills; kill += 1) {
    const started = performance.now();
    const starting = writer.start();
    if (random() < WHILE_STARTING) {
      starting.catch(() => undefined);
      await delay(random() * startMs);
      await writer.signal('SIGKILL');
      await starting.catch(() => undefined);
    } else {
      await starting;
      startMs = performance.now() - started;
      slowestReadyMs = Math.max(slowestReadyMs, startMs);
      const before = trail.acked;
      for (const end = performance.now() + MOST_SILENCE_MS; trail.acked === before && performance.now() < end; )
        await delay(1);
      await delay(random() * MOST_LIFE_MS);
      await writer.signal('SIGKILL');
    }
    if (kill % LOGGED_KILLS === 0) log(`${kill} kills, ${trail.acked} entries acknowledged`);
  }
  return slowestReadyMs;
}

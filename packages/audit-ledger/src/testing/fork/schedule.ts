/**
 * One schedule: writers that come and go over one store while an adversary pauses and kills them, cuts their connections, turns
 * their clocks, pulls the plug and puts an old copy of the store back. Everything follows from the seed.
 */
import type { Beginning } from '../../beginning.js';
import { DivergenceError } from '../../commit/divergence.js';
import { type Ledger, LedgerClosedError } from '../../commit/ledger.js';
import { canonicalJson } from '../../detail/canonical.js';
import { LeafType } from '../../leaf/leaf.js';
import { signCheckpoint } from '../../note/checkpoint.js';
import type { SigningKey } from '../../note/keys.js';
import { openLedger } from '../../open-ledger.js';
import type { Backend } from '../../storage/backend.js';
import { NoLogError, RollbackError, StaleWriterError, UnknownOutcomeError } from '../../storage/errors.js';
import { below, type Random, randomBytesOf, seeded } from '../random.js';
import { Process, Turns } from './turns.js';
import { Witness } from './witness.js';

/** Writers that run at the same time; of a thousand operations so many are preceded by a start, where none runs and where one does. */
const START_PER_MILLE = [300, 8] as const;
/** Of a thousand operations so many are preceded by a deed of the adversary. */
const DEEDS_PER_MILLE = 12;
const LONGEST_PAUSE = 400;
const LONGEST_CUT = 6;
const CLOCK_JUMP_US = 3600 * 1e6;
/** The machine of a schedule computes right answers, and its disk fails by error codes. */
const UNEXPLAINED = [DivergenceError, TypeError, RangeError, ReferenceError, SyntaxError];

/** A store that writers share. */
export interface SharedStore {
  /** Operations after which the adversary rests: as many as a dozen commits and starts take. */
  readonly steps: number;
  openWriter(process: Process): Backend['openWriter'];
  /** What was not durable is gone. */
  powerCut(): void;
  /** The store as it is now, without its second place. @returns what puts it back */
  copy(): () => void;
  /** Entries of the log as it is in the store, whoever knows of them. */
  size(): number;
  /** Entries that the second place speaks of; where there are power cuts, those that it would speak of after one. */
  guardedSize(powerCuts: boolean): number;
}

export interface Tally {
  signed: number;
  commits: number;
  /** Writers that found out that another one had taken over. */
  stale: number;
  /** Commits whose outcome their writer could not tell. */
  unknown: number;
  /** Starts on a store that had gone back in time, refused. */
  refused: number;
  /** Starts that went on with a log of more than its genesis. */
  continued: number;
  /** Writers that ended by what no adversary explains. */
  unexplained: number;
  inconsistent: number;
}

export function emptyTally(): Tally {
  return { signed: 0, commits: 0, stale: 0, unknown: 0, refused: 0, continued: 0, unexplained: 0, inconsistent: 0 };
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly key: SigningKey;
  readonly makeStore: (random: Random) => SharedStore;
  /** Writers sign what they are about to commit: what the schedules must find out. */
  readonly signsFirst: boolean;
}

export async function runSchedule({ seed, key, makeStore, signsFirst }: ScheduleOptions, tally: Tally): Promise<void> {
  const random = seeded(seed);
  const world = new World(random, makeStore(random), new Witness(key), key, signsFirst, tally);
  await world.run();
  const pairs = world.witness.inconsistentPairs();
  tally.signed += world.witness.signed;
  tally.inconsistent += pairs.length;
}

class World {
  readonly witness: Witness;
  readonly #random: Random;
  readonly #store: SharedStore;
  readonly #key: SigningKey;
  readonly #signsFirst: boolean;
  readonly #tally: Tally;
  readonly #turns: Turns;
  readonly #running = new Set<Process>();
  #copy: { readonly putBack: () => void; readonly size: number } | undefined;
  readonly #powerCuts: boolean;
  /** Whether the mark beside the key is still there: durable, and no part of the store. */
  #unused = true;
  #events = 0;
  #clockUs = 1_700_000_000_000_000;

  constructor(
    random: Random,
    store: SharedStore,
    witness: Witness,
    key: SigningKey,
    signsFirst: boolean,
    tally: Tally,
  ) {
    this.#random = random;
    this.#store = store;
    this.witness = witness;
    this.#key = key;
    this.#signsFirst = signsFirst;
    this.#tally = tally;
    this.#turns = new Turns(random);
    this.#powerCuts = this.#chance(500);
  }

  async run(): Promise<void> {
    while (this.#turns.step < this.#store.steps) {
      if (this.#chance(START_PER_MILLE[this.#running.size] ?? 0)) this.#start();
      if (this.#chance(DEEDS_PER_MILLE)) this.#deed();
      await this.#turns.next();
    }
    this.#killAll();
    // Whoever comes last, undisturbed, signs what it found.
    this.#start(1);
    while (this.#running.size > 0) await this.#turns.next();
  }

  #chance(perMille: number): boolean {
    return below(this.#random, 1000) < perMille;
  }

  /** A writer that ends by itself after so many requests. */
  #start(requests = 1 + below(this.#random, 8)): void {
    const process = new Process(this.#turns);
    const skewUs = this.#chance(300) ? Math.round((this.#random() - 0.5) * 2 * CLOCK_JUMP_US) : 0;
    this.#running.add(process);
    void this.#live(process, requests, skewUs)
      .catch((error: unknown) => this.#count(error))
      .finally(() => this.#end(process));
  }

  async #live(process: Process, requests: number, skewUs: number): Promise<void> {
    const key = this.witness.key();
    const openWriter = this.#store.openWriter(process);
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => undefined);
    const { ledger, store } = await openLedger({
      backend: { openWriter: async (options) => this.#watch(await openWriter(options), key) },
      key,
      acceptRollback: false,
      beginning: this.#beginning,
      groupEntries: 8192,
      nowUs: () => this.#clockUs + skewUs + this.#turns.step * 1000,
      randomBytes: randomBytesOf(this.#random),
      events: {
        committed: () => {
          this.#tally.commits += 1;
        },
        refused: () => undefined,
        diverged: () => undefined,
        checkpointNotKept: () => undefined,
        fatal: (error) => failed.reject(error),
      },
    });
    if (store.head.size > 1) this.#tally.continued += 1;
    for (let i = 0; i < requests; i += 1) await Promise.race([this.#ingest(ledger), failed.promise]);
  }

  get #beginning(): Beginning {
    const marked = this.#unused;
    const taken = (again: boolean): void => {
      if (marked && !this.#unused && !again) throw new NoLogError('signing_key_path', 'another writer took the mark');
      this.#unused = false;
    };
    return { allowed: marked, demanded: false, taken };
  }

  #watch(opened: Awaited<ReturnType<Backend['openWriter']>>, key: SigningKey): typeof opened {
    return this.witness.watch(opened, ({ size, root }) => {
      if (this.#signsFirst) signCheckpoint({ origin: key.verifier.name, size, root }, key);
    });
  }

  async #ingest(ledger: Ledger): Promise<void> {
    const randomBytes = randomBytesOf(this.#random);
    const drafts = Array.from({ length: 1 + below(this.#random, 4) }, () => {
      this.#events += 1;
      return {
        type: LeafType.decision,
        injected: false,
        eventUs: this.#clockUs,
        eventId: randomBytes(16),
        producer: 'fork/1',
        gpu: '',
        detail: Buffer.from(canonicalJson({ event: 'test', n: this.#events })),
      };
    });
    if (this.#chance(100)) ledger.seal();
    await ledger.ingest({ producer: 'fork/1', numbering: undefined, drafts });
  }

  #deed(): void {
    const processes = [...this.#running];
    const victim = processes[below(this.#random, processes.length)];
    const deeds: (() => void)[] = [
      () => {
        if (victim !== undefined) victim.pausedUntil = this.#turns.step + below(this.#random, LONGEST_PAUSE);
      },
      () => {
        if (victim !== undefined) this.#end(victim);
      },
      () => {
        if (victim !== undefined) victim.cut = 1 + below(this.#random, LONGEST_CUT);
      },
      () => {
        this.#clockUs += Math.round((this.#random() - 0.5) * CLOCK_JUMP_US);
      },
      () => {
        this.#copy = { putBack: this.#store.copy(), size: this.#store.size() };
      },
      () => {
        // Restoring under a running writer, too.
        if (this.#chance(500)) this.#killAll();
        if (this.#chance(500)) this.#restore();
      },
      () => {
        if (!this.#powerCuts || !this.#chance(500)) return;
        this.#killAll();
        this.#store.powerCut();
      },
    ];
    deeds[below(this.#random, deeds.length)]?.();
  }

  /**
   * The second place is written a moment after a signature, and what a power cut leaves of it is some seconds old: a copy that is not
   * older than what it speaks of a writer cannot tell from the log (ADR 0029 says who can).
   */
  #restore(): void {
    if (this.#copy !== undefined && this.#store.guardedSize(this.#powerCuts) > this.#copy.size) this.#copy.putBack();
  }

  #killAll(): void {
    for (const process of this.#running) this.#end(process);
  }

  #end(process: Process): void {
    process.alive = false;
    this.#running.delete(process);
  }

  #count(error: unknown): void {
    const cause = error instanceof LedgerClosedError ? error.cause : error;
    if (cause instanceof StaleWriterError) this.#tally.stale += 1;
    else if (cause instanceof UnknownOutcomeError) this.#tally.unknown += 1;
    else if (cause instanceof RollbackError) this.#tally.refused += 1;
    else if (UNEXPLAINED.some((kind) => cause instanceof kind)) this.#tally.unexplained += 1;
  }
}

import type { TrainingThresholds } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Finding } from '../analysers/finding.js';
import { wantsReplay } from '../analysers/wants-replay.js';
import type { Place, Sender, StoredCheckpoint, TrainingRecord } from './record.js';
import { Run, type RunCounts } from './run.js';

/** Runs of jobs on one node at once; one that no rank is in any more makes room. */
export const MAX_RUNS = 64;

/** Places of ranks that are kept, of all runs and streams: eight ranks of a job of 16,384 that know nothing of each other. */
export const MAX_PLACES = 131_072;

/** A run that no rank came back to for so long is over. */
const OVER_MS = 10 * 60_000;

export interface RunsParts {
  readonly thresholds: TrainingThresholds;
  readonly onFinding: (job: Sender, finding: Finding) => void;
  /** A checkpoint, of which the ledger is to know, or that is to be held against it. */
  readonly onStored: (job: Sender, stored: StoredCheckpoint) => void;
}

/** One rank of one run, as the stream that it came by knows it. */
export interface Membership {
  /** As it said, with the places of the run where they are the same. */
  readonly sender: Sender;
  take(record: TrainingRecord, nowMs: number): void;
  /** Was something found since this was last called that a replay may explain? Each rank is told. */
  wantsReplay(): boolean;
  leave(nowMs: number): void;
}

/** All runs of jobs that have ranks on this node. */
export class Runs {
  readonly #parts: RunsParts;
  readonly #runs = new Map<string, Run>();
  #thresholds: TrainingThresholds;
  #places = 0;
  #ended: RunCounts = { late: 0, crowded: 0, disagreeing: 0 };

  constructor(parts: RunsParts) {
    this.#parts = parts;
    this.#thresholds = parts.thresholds;
  }

  get size(): number {
    return this.#runs.size;
  }

  /** Ranks that are there, of all runs. */
  get ranks(): number {
    return [...this.#runs.values()].reduce((sum, { present }) => sum + present, 0);
  }

  /** Of all runs since the start. */
  get counts(): RunCounts {
    return [...this.#runs.values()].map(({ counts }) => counts).reduce(add, this.#ended);
  }

  retune(thresholds: TrainingThresholds): void {
    this.#thresholds = thresholds;
    for (const run of this.#runs.values()) run.retune(thresholds);
  }

  /** @throws SentinelError RESOURCE_EXHAUSTED while there are too many runs or ranks; INVALID_ARGUMENT where the run has another shape */
  join(said: Sender): Membership {
    const key = `${said.jobId}\0${said.runId}`;
    const run = this.#runs.get(key) ?? this.#begin(key, said);
    if (run.job.places.length !== said.places.length) throw otherShape(run.job, said);
    const shared = said.places.every((place, k) => same(place, run.job.places[k]));
    const sender = shared ? { ...said, places: run.job.places } : said;
    if (!shared && this.#places + said.places.length > MAX_PLACES) throw tooManyPlaces();
    if (!shared) this.#places += said.places.length;
    const { rank } = sender;
    run.join(rank);
    let told = run.replaysWanted;
    return {
      sender,
      wantsReplay: () => {
        const wanted = run.replaysWanted > told;
        told = run.replaysWanted;
        return wanted;
      },
      take: (record, nowMs) => this.#tell(run, [...run.take(rank, record, nowMs), ...run.advance(nowMs)]),
      leave: (nowMs) => {
        run.leave(rank, nowMs);
        if (!shared) this.#places -= sender.places.length;
        this.#tell(run, run.advance(nowMs));
      },
    };
  }

  /** To be called every second: rounds that waited long enough are analysed, runs that are over forgotten. */
  tick(nowMs: number): void {
    for (const [key, run] of this.#runs) {
      this.#tell(run, run.advance(nowMs));
      if (run.emptySinceMs !== null && nowMs - run.emptySinceMs >= OVER_MS) this.#end(key, run);
    }
  }

  #begin(key: string, sender: Sender): Run {
    if (this.#runs.size >= MAX_RUNS && !this.#makeRoom()) throw tooMany();
    const { length } = sender.places;
    while (this.#places + length > MAX_PLACES) if (!this.#makeRoom()) throw tooManyPlaces();
    this.#places += length;
    const run = new Run(sender, this.#thresholds, (stored) => this.#parts.onStored(sender, stored));
    this.#runs.set(key, run);
    return run;
  }

  /** Forgets the run that no rank is in for longest; false where there is none. */
  #makeRoom(): boolean {
    const [empty] = [...this.#runs]
      .filter(([, { emptySinceMs }]) => emptySinceMs !== null)
      .sort(([, a], [, b]) => (a.emptySinceMs ?? 0) - (b.emptySinceMs ?? 0));
    if (empty === undefined) return false;
    this.#end(...empty);
    return true;
  }

  #end(key: string, run: Run): void {
    this.#places -= run.job.places.length;
    this.#ended = add(this.#ended, run.counts);
    this.#runs.delete(key);
  }

  #tell(run: Run, findings: readonly Finding[]): void {
    for (const finding of findings) {
      if (wantsReplay(finding)) run.replaysWanted += 1;
      this.#parts.onFinding(run.job, finding);
    }
  }
}

function same(a: Place, b: Place | undefined): boolean {
  return a.node === b?.node && a.gpu === b.gpu && a.replicaGroup === b.replicaGroup;
}

function add(a: RunCounts, b: RunCounts): RunCounts {
  return { late: a.late + b.late, crowded: a.crowded + b.crowded, disagreeing: a.disagreeing + b.disagreeing };
}

function tooMany(): SentinelError {
  return new SentinelError({
    code: 'RESOURCE_EXHAUSTED',
    message: `this node has ${MAX_RUNS} runs of jobs already`,
    hint: 'Give every rank of a job the same job_id and run_id.',
    retryAfterMs: 60_000,
  });
}

function tooManyPlaces(): SentinelError {
  return new SentinelError({
    code: 'RESOURCE_EXHAUSTED',
    message: `the jobs on this node have more than ${MAX_PLACES} ranks`,
    hint: 'Give every rank of a job the same job_id, run_id and ranks.',
    retryAfterMs: 60_000,
  });
}

function otherShape(run: Sender, sender: Sender): SentinelError {
  return new SentinelError({
    code: 'INVALID_ARGUMENT',
    field: 'hello.ranks',
    message: `run ${run.runId} of job ${run.jobId} has ${run.places.length} ranks, not ${sender.places.length}`,
    hint: 'A job that changes its number of ranks begins a new run_id.',
  });
}

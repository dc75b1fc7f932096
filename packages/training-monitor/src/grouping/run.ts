import type { TrainingThresholds } from '@sentinel/service-kit/config';
import type { Checkpoint } from '../analysers/checkpoint-watch.js';
import type { Finding, Moment } from '../analysers/finding.js';
import type { Replay } from '../analysers/replay-watch.js';
import type { Held } from '../analysers/replica-watch.js';
import { RunAnalysis } from '../analysers/run-analysis.js';
import type { StepSample } from '../analysers/step-sample.js';
import { disagreeing, mergeChecksums, mergeReplays } from './merge-copies.js';
import { type Digested, isLocal, type Sender, type StoredCheckpoint, type TrainingRecord } from './record.js';
import { type Round, StepBook } from './step-book.js';

/** Names of layers that are kept of one rank. */
const MAX_LAYERS = 512;

/** What came of the rounds of a run that is not a finding. */
export interface RunCounts {
  readonly late: number;
  readonly crowded: number;
  /** Copies of a round that say something else than the rest. */
  readonly disagreeing: number;
}

interface CheckpointTold {
  readonly report: Omit<Checkpoint, 'group'>;
  readonly digested: Digested;
}

type Told<T> = T & { readonly moment: Moment };

/** One run of one job on this node: puts together what its ranks tell of a step, then has it analysed. */
export class Run {
  readonly job: Sender;
  readonly #size: number;
  readonly #analysis: RunAnalysis;
  /** Streams of each rank that is there. */
  readonly #present = new Map<number, number>();
  readonly #layers = new Map<number, readonly string[]>();
  readonly #steps = new StepBook<StepSample>();
  readonly #replicas = new StepBook<Told<{ held: Held }>>();
  readonly #replays = new StepBook<Told<{ replay: Replay }>>();
  readonly #checkpoints = new StepBook<Told<CheckpointTold>>();
  readonly #onStored: (stored: StoredCheckpoint) => void;
  #disagreeing = 0;
  /** Since when no rank is there; null while one is. */
  emptySinceMs: number | null = null;
  /** Findings until now that a replay may explain. */
  replaysWanted = 0;

  constructor(job: Sender, thresholds: TrainingThresholds, onStored: (stored: StoredCheckpoint) => void) {
    this.job = job;
    this.#onStored = onStored;
    this.#size = job.places.length;
    const local = job.places.flatMap((_, rank) => (isLocal(job, rank) ? [rank] : []));
    const groups = job.places.map(({ replicaGroup }) => replicaGroup);
    this.#analysis = new RunAnalysis({ groups, local }, thresholds);
  }

  /** Ranks that are there. */
  get present(): number {
    return this.#present.size;
  }

  get counts(): RunCounts {
    const books = [this.#steps, this.#replicas, this.#replays, this.#checkpoints];
    const sum = (of: (book: (typeof books)[number]) => number) => books.reduce((total, book) => total + of(book), 0);
    return { late: sum(({ late }) => late), crowded: sum(({ crowded }) => crowded), disagreeing: this.#disagreeing };
  }

  retune(thresholds: TrainingThresholds): void {
    this.#analysis.retune(thresholds);
  }

  join(rank: number): void {
    this.#present.set(rank, (this.#present.get(rank) ?? 0) + 1);
    this.emptySinceMs = null;
  }

  leave(rank: number, nowMs: number): void {
    const streams = (this.#present.get(rank) ?? 1) - 1;
    if (streams > 0) this.#present.set(rank, streams);
    else this.#present.delete(rank);
    if (this.#present.size === 0) this.emptySinceMs = nowMs;
  }

  take(rank: number, record: TrainingRecord, nowMs: number): Finding[] {
    switch (record.kind) {
      case 'step': {
        if (record.layers.length > 0) this.#layers.set(rank, record.layers.slice(0, MAX_LAYERS));
        const { sample } = record;
        return this.#steps.add(String(sample.step), rank, sample, nowMs).flatMap(this.#step);
      }
      case 'replicas':
        return this.#replicas.add(String(record.moment.step), rank, record, nowMs).flatMap(this.#replica);
      case 'replay': {
        const key = `${record.moment.step} ${record.replay.rank}`;
        return this.#replays.add(key, rank, record, nowMs).flatMap(this.#replay);
      }
      case 'checkpoint': {
        const key = `${record.moment.step} ${record.report.event} ${record.report.path}`;
        return this.#checkpoints.add(key, rank, record, nowMs).flatMap(this.#checkpoint);
      }
      case 'product':
        return this.#analysis.product(record.product, record.moment);
    }
  }

  /** Analyses the rounds of which every rank has told that is there, and those that have waited long enough. */
  advance(nowMs: number): Finding[] {
    const all = (copies: ReadonlyMap<number, unknown>) => [...this.#present.keys()].every((rank) => copies.has(rank));
    return [
      ...this.#steps.due(nowMs, all).flatMap(this.#step),
      ...this.#replicas.due(nowMs, all).flatMap(this.#replica),
      ...this.#replays.due(nowMs, (copies) => all(copies) || isSettled(copies)).flatMap(this.#replay),
      ...this.#checkpoints.due(nowMs, all).flatMap(this.#checkpoint),
    ];
  }

  readonly #step = ({ copies }: Round<StepSample>): Finding[] => {
    const samples = [...copies.values()].sort((a, b) => a.rank - b.rank);
    const [first] = samples;
    if (first === undefined) return [];
    const moment = { step: first.step, timeUs: first.timeUs };
    return this.#analysis.step(samples, (rank) => this.#layers.get(rank) ?? [], moment);
  };

  readonly #replica = ({ copies }: Round<Told<{ held: Held }>>): Finding[] => {
    const told = (what: keyof Held) => new Map([...copies].map(([rank, { held }]) => [rank, held[what]]));
    const checksums = mergeChecksums(told('checksums'), this.#size);
    this.#disagreeing += disagreeing(told('checksums'), checksums);
    const blocks = mergeChecksums(told('blocks'), this.#size);
    return this.#analysis.replicas({ checksums, blocks }, momentOf(copies));
  };

  readonly #replay = ({ copies }: Round<Told<{ replay: Replay }>>): Finding[] => {
    const merged = mergeReplays(new Map([...copies].map(([rank, { replay }]) => [rank, replay])));
    return merged === null ? [] : this.#analysis.replay(merged, momentOf(copies));
  };

  readonly #checkpoint = ({ copies }: Round<Told<CheckpointTold>>): Finding[] => {
    const told = [...copies.values()];
    const findings = this.#analysis.checkpoints(
      told.map(({ report }) => report),
      momentOf(copies),
    );
    const stored = storedBy(told, new Set(findings.flatMap(({ ranks }) => ranks)), momentOf(copies));
    if (stored !== null) this.#onStored(stored);
    return findings;
  };
}

/** Where all answers agree the rank itself alone tells of it. */
function isSettled(copies: ReadonlyMap<number, { readonly replay: Replay }>): boolean {
  return [...copies].some(([rank, { replay }]) => {
    const digests = new Set(replay.answers.map(({ digest }) => digest));
    return replay.rank === rank && digests.size <= 1;
  });
}

/**
 * What the engine is to know of it. Null where that is nothing: without digests, or of a loaded checkpoint that cannot be held against
 * the ledger, or of which it was told already that its manifest says otherwise.
 * @param accused ranks that something was found about
 */
function storedBy(
  told: readonly CheckpointTold[],
  accused: ReadonlySet<number>,
  moment: Moment,
): StoredCheckpoint | null {
  const [first] = told;
  if (first === undefined) return null;
  const { report, digested } = first;
  const { event, path } = report;
  if (event === 'loaded' && told.some(({ report: { digest, expected } }) => expected !== '' && digest !== expected))
    return null;
  const parts = told
    .filter(({ report: { digest }, digested: { algorithm } }) => digest !== '' && algorithm === digested.algorithm)
    .filter(({ report: { subject, rank } }) => event === 'saved' || (subject !== '' && !accused.has(rank)))
    .map(({ report: { rank, digest, subject, bytes }, digested: { tensors } }) => {
      return { rank, digest, subject, tensors, bytes };
    });
  if (digested.algorithm === '' || parts.length === 0) return null;
  return { event, ...moment, path, algorithm: digested.algorithm, parts: parts.sort((a, b) => a.rank - b.rank) };
}

function momentOf(copies: ReadonlyMap<number, { readonly moment: Moment }>): Moment {
  const [first] = copies.values();
  return first?.moment ?? { step: 0, timeUs: 0 };
}

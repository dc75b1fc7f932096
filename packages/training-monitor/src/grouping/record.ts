import type { Checkpoint } from '../analysers/checkpoint-watch.js';
import type { Moment } from '../analysers/finding.js';
import type { Product } from '../analysers/product-checksums.js';
import type { Replay } from '../analysers/replay-watch.js';
import type { Held } from '../analysers/replica-watch.js';
import type { StepSample } from '../analysers/step-sample.js';

/** Where a rank computes, as it says itself. */
export interface Place {
  readonly node: string;
  /** '' = a CPU, or not known. */
  readonly gpu: string;
  /** 0 = of a replica group of its own. */
  readonly replicaGroup: number;
}

/** Who sends: one rank of one run of a job. */
export interface Sender {
  readonly jobId: string;
  readonly runId: string;
  readonly rank: number;
  readonly places: readonly Place[];
  readonly framework: string;
  readonly libraryVersion: string;
  readonly testBuild: boolean;
}

/** Is the rank on this node? Whoever reaches the socket is, and so is every rank that names the same node. */
export function isLocal({ places, rank }: Sender, other: number): boolean {
  return places[other]?.node === places[rank]?.node;
}

/** What a rank tells of a step. */
export type TrainingRecord =
  | { readonly kind: 'step'; readonly sample: StepSample; readonly layers: readonly string[]; readonly cost: Cost }
  | { readonly kind: 'replicas'; readonly moment: Moment; readonly held: Held }
  | { readonly kind: 'replay'; readonly moment: Moment; readonly replay: Replay }
  | {
      readonly kind: 'checkpoint';
      readonly moment: Moment;
      readonly report: Omit<Checkpoint, 'group'>;
      readonly digested: Digested;
    }
  | { readonly kind: 'product'; readonly moment: Moment; readonly product: Product };

/** What the digest of a checkpoint is of. */
export interface Digested {
  readonly algorithm: string;
  readonly tensors: number;
}

/** A checkpoint that ranks of this node saved, or loaded, in one step: one file, or their parts of one folder. */
export interface StoredCheckpoint {
  readonly event: 'saved' | 'loaded';
  readonly path: string;
  readonly algorithm: string;
  readonly step: number;
  readonly timeUs: number;
  /** By rank. */
  readonly parts: readonly {
    readonly rank: number;
    readonly digest: string;
    readonly subject: string;
    readonly tensors: number;
    readonly bytes: number;
  }[];
}

/** What the library cost the job, microseconds. */
export interface Cost {
  readonly overheadUs: number;
  readonly stepUs: number;
}

import type { Finding, Moment } from './finding.js';
import { voteReplicas } from './replica-vote.js';

/** What one rank says of a checkpoint. */
export interface Checkpoint {
  readonly rank: number;
  /** Of its replica group; 0 = of a group of its own. */
  readonly group: number;
  readonly event: 'saved' | 'loaded';
  readonly path: string;
  readonly digest: string;
  /** What the digest is of: those of one subject must be equal. '' = not known. */
  readonly subject: string;
  /** What the manifest says; '' = there is none. */
  readonly expected: string;
  readonly bytes: number;
  readonly differing: readonly string[];
}

export interface CheckpointLimits {
  readonly maxSizeChange: number;
  readonly crossRank: boolean;
  readonly minConsensus: number;
}

/** Of one run: what was saved and loaded. */
export class CheckpointWatch {
  /** By rank, bytes of the last one saved. */
  readonly #sizes = new Map<number, number>();
  readonly #agreed = new Map<number, number>();

  /** @param reports of one step, all saved or all loaded */
  round(reports: readonly Checkpoint[], limits: CheckpointLimits, moment: Moment): Finding[] {
    const against = this.#againstManifests(reports, moment);
    const accused = new Set(against.flatMap(({ ranks }) => ranks));
    const rest = against.length > 0 ? [] : reports;
    const across = limits.crossRank ? this.#acrossRanks(rest, limits.minConsensus, moment) : [];
    for (const { ranks } of across) for (const rank of ranks) accused.add(rank);
    for (const { rank } of reports) this.#agreed.set(rank, accused.has(rank) ? 0 : this.#agreedBefore([rank]) + 1);
    return [...against, ...across, ...this.#sizesOf(reports, limits.maxSizeChange, moment)];
  }

  /** A file that all who read it find changed is the file's fault, or its writer's: no device is named. One that a rank alone finds changed is that rank's. */
  #againstManifests(reports: readonly Checkpoint[], moment: Moment): Finding[] {
    return [...Map.groupBy(reports, ({ path }) => path)].flatMap(([path, all]) => {
      const checked = all.filter(({ digest, expected }) => digest !== '' && expected !== '');
      const wrong = checked.filter(({ digest, expected }) => digest !== expected);
      const [first] = wrong;
      if (first === undefined) return [];
      const same = checked.every(({ digest }) => digest === first.digest);
      const ranks = same ? [] : wrong.map(({ rank }) => rank);
      const tensors = first.differing.length === 0 ? '' : ` (${first.differing.slice(0, 3).join(', ')})`;
      const who = `${wrong.length} of ${checked.length} ranks that ${first.event} it`;
      const detail = `Checkpoint ${path} is not what its manifest says${tensors}, by ${who}`;
      if (same) return [{ ...finding(ranks, detail, undefined, moment), about: path }];
      const answers = checked.map(({ rank, digest }) => ({ rank, digest, again: false }));
      const compared = { answers, agreedBefore: this.#agreedBefore(ranks), asked: false };
      return [{ ...finding(ranks, detail, compared, moment), about: path }];
    });
  }

  #acrossRanks(reports: readonly Checkpoint[], minConsensus: number, moment: Moment): Finding[] {
    const groups = Map.groupBy(
      reports.filter(({ group }) => group !== 0),
      ({ group, event, subject }) => `${group} ${event} ${subject}`,
    );
    return [...groups.values()].flatMap((members) => {
      const digests = new Map(members.map(({ rank, digest }) => [rank, digest]));
      const { differing, majority } = voteReplicas(digests, minConsensus);
      const answers = [...digests].map(([rank, digest]) => ({ rank, digest, again: false }));
      const compared = { answers, agreedBefore: this.#agreedBefore(differing), asked: false };
      if (differing.length === 0) return [];
      const detail =
        majority === null
          ? `Ranks ${differing.join(', ')} have different checkpoints of step ${moment.step}`
          : `Checkpoint of step ${moment.step} differs on rank ${differing.join(', ')} from those of the other replicas`;
      return [finding(differing, detail, compared, moment)];
    });
  }

  #sizesOf(reports: readonly Checkpoint[], limit: number, moment: Moment): Finding[] {
    return reports.flatMap(({ rank, bytes, event, path }) => {
      if (event !== 'saved' || bytes === 0) return [];
      const before = this.#sizes.get(rank) ?? bytes;
      this.#sizes.set(rank, bytes);
      const value = Math.abs(bytes / before - 1);
      if (value <= limit) return [];
      const detail = `Checkpoint ${path} has ${bytes} bytes, the one before it ${before}`;
      const base = { ...moment, type: 'INVARIANT_VIOLATION', detector: 'checkpoint-size', severity: 'INFO' } as const;
      return [{ ...base, ranks: [rank], value, limit, detail }];
    });
  }

  #agreedBefore(ranks: readonly number[]): number {
    return ranks.length === 0 ? 0 : Math.min(...ranks.map((rank) => this.#agreed.get(rank) ?? 0));
  }
}

function finding(ranks: readonly number[], detail: string, compared: Finding['compared'], moment: Moment): Finding {
  const base = { ...moment, type: 'CHECKPOINT_DIVERGENCE', detector: 'checkpoint', severity: 'CRITICAL' } as const;
  const found = { ...base, ranks, value: Math.max(1, ranks.length), limit: 0, detail };
  return compared === undefined ? found : { ...found, compared };
}

import { Agreements } from './agreements.js';
import type { Answer, Finding, Moment } from './finding.js';
import { contradicting, type ReplayVote, voteReplay } from './replay-vote.js';

/** Rounds that tell whether a job computes the same twice at all. */
const RECENT = 64;

/** Ranks that must contradict themselves before the job is held for the reason. */
const MIN_CONTRADICTING = 2;

export interface Replay {
  /** Whose micro-batch. */
  readonly rank: number;
  readonly answers: readonly Answer[];
  readonly asked: boolean;
  /** The job's own kernels need not give the same bits twice, those of a replay do. */
  readonly originalMayDiffer: boolean;
}

/** Of one run: micro-batches that were computed again. */
export class ReplayWatch {
  readonly #agreements = new Agreements();
  /** Rank and whether it contradicted itself, newest last. */
  readonly #recent: { rank: number; transient: boolean }[] = [];
  #saidUnrepeatable = false;
  readonly #saidStrange = new Set<number>();

  round({ rank, answers: all, asked, originalMayDiffer }: Replay, moment: Moment): Finding[] {
    const answers = originalMayDiffer ? all.filter(({ again }) => again) : all;
    const vote = voteReplay(rank, answers);
    const original = originalMayDiffer && contradicting(all).includes(rank);
    if (vote.kind === 'none' && !original) return [];
    this.#recent.push({ rank, transient: original || vote.kind === 'transient' });
    if (this.#recent.length > RECENT) this.#recent.shift();
    const findings = original ? this.#original(rank, moment) : [];
    if (vote.kind === 'none') return findings;
    findings.push(...this.#judge(rank, vote, answers, asked, moment));
    for (const other of new Set(answers.map((answer) => answer.rank))) {
      if (vote.accused.includes(other)) this.#agreements.lost(other);
      else if (this.#agreements.agreed(other) && vote.kind === 'agree')
        findings.push(agreement(other, answers, this.#agreements.before([other]), moment));
    }
    return findings;
  }

  #judge(rank: number, vote: ReplayVote, answers: readonly Answer[], asked: boolean, moment: Moment): Finding[] {
    if (vote.kind === 'agree') return [];
    if (vote.kind === 'transient' && this.#isUnrepeatable()) return this.#unrepeatable(moment);
    const strange = vote.accused.filter((each) => !this.#agreements.isKnown(each));
    const accused = vote.accused.filter((each) => !strange.includes(each));
    // Of two that differ, one that never agreed with anybody is reason enough to accuse neither.
    const isCertain = strange.length === 0 || (vote.kind !== 'open' && accused.length > 0);
    const soft = strange.flatMap((each) => this.#stranger(each, moment));
    return isCertain ? [...soft, ...this.#accuse(rank, { ...vote, accused }, answers, asked, moment)] : soft;
  }

  /** An original that its rank's own repeat does not confirm. Soft: kernels that need not repeat themselves may have made it. */
  #original(rank: number, moment: Moment): Finding[] {
    if (this.#isUnrepeatable()) return this.#unrepeatable(moment);
    if (this.#contradicting().size > 1) return [];
    const detail = `Rank ${rank} alone does not repeat its own result of step ${moment.step}, which the job computed with kernels that need not be deterministic`;
    const base = { ...moment, type: 'CROSS_RANK_DIVERGENCE', detector: 'replay', severity: 'WARNING' } as const;
    return [{ ...base, ranks: [rank], value: 1, limit: 0, detail }];
  }

  /** Said once. */
  #unrepeatable(moment: Moment): Finding[] {
    if (this.#saidUnrepeatable) return [];
    this.#saidUnrepeatable = true;
    const ranks = [...this.#contradicting()];
    const detail = `${ranks.length} ranks do not repeat their own results: the job does not run deterministic kernels, and replays accuse nobody`;
    const base = { ...moment, type: 'INVARIANT_VIOLATION', detector: 'replay', severity: 'INFO' } as const;
    return [{ ...base, ranks, value: ranks.length, limit: 0, detail }];
  }

  /** A rank that computes otherwise since the run began: said once. */
  #stranger(rank: number, moment: Moment): Finding[] {
    if (this.#saidStrange.has(rank)) return [];
    this.#saidStrange.add(rank);
    const detail = `Rank ${rank} gets other results in replays since the run began: other hardware or software, or a fault that was there before`;
    const base = { ...moment, type: 'CROSS_RANK_DIVERGENCE', detector: 'replay', severity: 'WARNING' } as const;
    return [{ ...base, ranks: [rank], value: 1, limit: 0, detail }];
  }

  #accuse(rank: number, vote: ReplayVote, answers: readonly Answer[], asked: boolean, moment: Moment): Finding[] {
    const base = { ...moment, type: 'REPLAY_MISMATCH', detector: 'replay', limit: 0 } as const;
    const compared = (agreedBefore: number) => ({ answers, agreedBefore, asked });
    const agreedBefore = (of: readonly number[]) => this.#agreements.before(of);
    const shared = { ...base, severity: 'CRITICAL', value: vote.accused.length } as const;
    if (vote.kind === 'open') {
      const detail = `Ranks ${vote.accused.join(' and ')} compute different results from the micro-batch of rank ${rank} in step ${moment.step}`;
      return [{ ...shared, ranks: vote.accused, detail, compared: compared(agreedBefore(vote.accused)) }];
    }
    return vote.accused.map((accused) => ({
      ...shared,
      ranks: [accused],
      detail: sentence(accused, rank, vote, moment.step),
      compared: compared(agreedBefore([accused])),
    }));
  }

  /** Do most of the ranks that were replayed lately contradict themselves? */
  #isUnrepeatable(): boolean {
    const ranks = new Set(this.#recent.map(({ rank }) => rank));
    const contradicting = this.#contradicting().size;
    return contradicting >= MIN_CONTRADICTING && 2 * contradicting > ranks.size;
  }

  #contradicting(): Set<number> {
    return new Set(this.#recent.filter(({ transient }) => transient).map(({ rank }) => rank));
  }
}

/** Nothing else speaks for a device that lost before. */
function agreement(rank: number, answers: readonly Answer[], agreedBefore: number, moment: Moment): Finding {
  const base = { ...moment, type: 'REPLAY_MISMATCH', detector: 'replay', severity: 'INFO' } as const;
  const detail = `Rank ${rank} agrees in replays again, ${agreedBefore} times since it did not`;
  return { ...base, ranks: [rank], value: 0, limit: 0, detail, compared: { answers, agreedBefore, asked: false } };
}

function sentence(accused: number, rank: number, { kind }: ReplayVote, step: number): string {
  if (accused !== rank)
    return `Rank ${accused} gets another result from the micro-batch of rank ${rank} in step ${step} than others`;
  return kind === 'transient'
    ? `Rank ${rank} does not repeat its own result of step ${step}: the fault comes and goes`
    : `Rank ${rank} repeats a result of step ${step} that other ranks do not get: the fault stays`;
}

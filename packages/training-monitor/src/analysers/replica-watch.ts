import { Agreements } from './agreements.js';
import type { Answer, Finding, Moment } from './finding.js';
import { outvotedInBlocks, voteReplicas } from './replica-vote.js';

/** What replicas hold, by rank, hexadecimal; '' = gave none. */
export interface Held {
  readonly checksums: readonly string[];
  /** BLOCK_DIGITS for each block; '' or missing = not told. */
  readonly blocks: readonly string[];
}

const BLOCK_DIGITS = 16;

/** Hexadecimal digits of the half that is of the parameters; the rest is of the optimizer's state. */
const PARAMETER_DIGITS = 32;

/** Of one run: which replicas hold other bits than the rest. */
export class ReplicaWatch {
  readonly #agreements = new Agreements();
  /** Ranks that differed in the last round: replicas that diverged stay so, and no later round is news. */
  readonly #diverged = new Set<number>();

  /** @param groups by rank; 0 = of a group of its own */
  round({ checksums, blocks }: Held, groups: readonly number[], minConsensus: number, moment: Moment): Finding[] {
    const byGroup = new Map<number, Map<number, string>>();
    for (const [rank, checksum] of checksums.entries()) {
      const group = groups[rank] ?? 0;
      if (group === 0 || checksum === '') continue;
      const members = byGroup.get(group) ?? new Map<number, string>();
      byGroup.set(group, members.set(rank, checksum));
    }
    return [...byGroup.values()].flatMap((members) => this.#group(members, blocks, minConsensus, moment));
  }

  #group(
    members: ReadonlyMap<number, string>,
    blocks: readonly string[],
    minConsensus: number,
    moment: Moment,
  ): Finding[] {
    const sound = () => new Map([...members].filter(([rank]) => !this.#diverged.has(rank)));
    const before = voteReplicas(sound().size > 1 ? sound() : members, minConsensus);
    for (const [rank, digest] of members) if (digest === before.majority) this.#diverged.delete(rank);
    const inBlocks = before.majority === null ? this.#inBlocks(sound(), blocks, minConsensus, moment) : [];
    if (inBlocks.length > 0) return inBlocks;
    const { majority, differing, voters } = voteReplicas(sound().size > 1 ? sound() : members, minConsensus);
    const news = differing.filter((rank) => !this.#diverged.has(rank));
    const answers = voters.map((rank) => ({ rank, digest: members.get(rank) ?? '', again: false }));
    const findings = findingsOf(news, majority, answers, this.#agreements, moment);
    for (const rank of differing) {
      this.#diverged.add(rank);
      this.#agreements.lost(rank);
    }
    const agreeing = answers.filter(({ digest }) => digest === majority);
    for (const { rank } of agreeing)
      if (this.#agreements.agreed(rank)) findings.push(agreement(rank, agreeing, this.#agreements, moment));
    return findings;
  }

  /** Names, of replicas that are not equal and have no majority, those that are outvoted in a part of what they hold. */
  #inBlocks(
    sound: ReadonlyMap<number, string>,
    told: readonly string[],
    minConsensus: number,
    moment: Moment,
  ): Finding[] {
    const blocks = new Map([...sound.keys()].map((rank) => [rank, blocksOf(told[rank] ?? '')]));
    const outvoted = outvotedInBlocks(blocks, minConsensus);
    const findings = outvoted.map(({ rank, block, majority }) => {
      const answers = answersOf(blocks, (digests) => digests[block] ?? '');
      const agreeing = answers.filter(({ digest }) => digest === majority).length;
      const detail = `Rank ${rank} holds other bits in one part of parameters and optimizer state after step ${moment.step} than ${agreeing} of ${answers.length} replicas; another differs elsewhere`;
      const compared = { answers, agreedBefore: this.#agreements.before([rank]), asked: false };
      return { ...mismatch(moment), value: outvoted.length, limit: 0, ranks: [rank], detail, compared };
    });
    // Who differs from the rest where no block tells the right from the wrong is not outvoted once the others are gone.
    const rest = [...sound].filter(([rank]) => outvoted.every((other) => other.rank !== rank));
    const isTied = findings.length > 0 && new Set(rest.map(([, digest]) => digest)).size > 1;
    const tied = isTied ? rest.map(([rank]) => rank) : [];
    const whole = answersOf(sound, (digest) => digest);
    const open = findingsOf(tied, null, whole, this.#agreements, moment);
    for (const rank of [...outvoted.map((each) => each.rank), ...tied]) {
      this.#diverged.add(rank);
      this.#agreements.lost(rank);
    }
    return [...findings, ...open];
  }
}

function mismatch(moment: Moment) {
  return { ...moment, type: 'REPLICA_MISMATCH', detector: 'replica', severity: 'CRITICAL' } as const;
}

function answersOf<T>(held: ReadonlyMap<number, T>, digest: (held: T) => string): Answer[] {
  return [...held].map(([rank, each]) => ({ rank, digest: digest(each), again: false }));
}

function blocksOf(digits: string): string[] {
  return Array.from({ length: digits.length / BLOCK_DIGITS }, (_, k) =>
    digits.slice(k * BLOCK_DIGITS, (k + 1) * BLOCK_DIGITS),
  );
}

function findingsOf(
  news: readonly number[],
  majority: string | null,
  answers: readonly Answer[],
  agreements: Agreements,
  moment: Moment,
): Finding[] {
  const base = mismatch(moment);
  const size = { value: news.length, limit: 0 };
  if (news.length === 0) return [];
  if (majority === null) {
    const compared = { answers, agreedBefore: agreements.before(news), asked: false };
    const detail = `${answers.length} replicas hold different ${parts(answers)} after step ${moment.step}, and no more than half agree`;
    return [{ ...base, ...size, ranks: news, detail, compared }];
  }
  return news.map((rank) => {
    const own = answers.filter((answer) => answer.rank === rank);
    const what = parts([...own, { rank: -1, digest: majority, again: false }]);
    const agreeing = answers.filter(({ digest }) => digest === majority).length;
    const detail = `Rank ${rank} holds other ${what} after step ${moment.step} than ${agreeing} of ${answers.length} replicas`;
    return {
      ...base,
      ...size,
      ranks: [rank],
      detail,
      compared: { answers, agreedBefore: agreements.before([rank]), asked: false },
    };
  });
}

/** Nothing else speaks for a device that lost before. */
function agreement(rank: number, answers: readonly Answer[], agreements: Agreements, moment: Moment): Finding {
  const base = { ...moment, type: 'REPLICA_MISMATCH', detector: 'replica', severity: 'INFO' } as const;
  const agreedBefore = agreements.before([rank]);
  const detail = `Rank ${rank} agrees with ${answers.length - 1} replicas again, ${agreedBefore} times since it did not`;
  return { ...base, ranks: [rank], value: 0, limit: 0, detail, compared: { answers, agreedBefore, asked: false } };
}

/** Which of both halves differ. */
function parts(answers: readonly Answer[]): string {
  const differ = (cut: (digest: string) => string) => new Set(answers.map(({ digest }) => cut(digest))).size > 1;
  const parameters = differ((digest) => digest.slice(0, PARAMETER_DIGITS));
  const state = differ((digest) => digest.slice(PARAMETER_DIGITS));
  if (parameters && state) return 'parameters and optimizer state';
  return parameters ? 'parameters' : 'optimizer state';
}

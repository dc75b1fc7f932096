/** What one replica said. */
export interface Said {
  readonly replica: string;
  readonly node: string;
  /** By worker. */
  readonly gpus: readonly string[];
  /** Lower-case hexadecimal digits. */
  readonly digest: string;
  /** Computed again, to check the first answer. */
  readonly again: boolean;
  /** Its server was shown to answer alike whatever shares the batch. */
  readonly repeatable: boolean;
  /** Of its newest answers, those that it did not repeat. */
  readonly contradictions: number;
  /** When its server was last seen to start, or to load a model anew, microseconds since the Unix epoch; 0 = not told. */
  readonly sinceUs: number;
  /** Of the newest checksums of its weights; '' = not known. */
  readonly weights: string;
}

/** Others that have to agree with one another before anybody is accused, as the engine demands. */
export const OTHERS_THAT_AGREE = 2;

export interface Vote {
  /**
   * alone = nobody else answered; agree = all are equal; lost = most others have another answer; other = another replica's is outvoted;
   * open = they differ, and there is no majority.
   */
  readonly kind: 'alone' | 'agree' | 'lost' | 'other' | 'open';
  /** Replicas that have the answer of the majority and no other. */
  readonly agreeing: readonly string[];
  /** That replica gave two answers. */
  readonly wavers: boolean;
}

/** The vote over answers to one question, one of each replica, and none of one that contradicts itself. */
export function voteOf(own: string, answers: readonly Said[]): Vote {
  const byReplica = new Map<string, Set<string>>();
  for (const { replica, digest } of answers) byReplica.set(replica, (byReplica.get(replica) ?? new Set()).add(digest));
  const ownDigests = byReplica.get(own) ?? new Set();
  const wavers = ownDigests.size > 1;
  const all = new Set(answers.map(({ digest }) => digest));
  const replicas = [...byReplica.keys()];
  if (byReplica.size < 2) return { kind: 'alone', agreeing: [], wavers };
  if (all.size === 1) return { kind: 'agree', agreeing: replicas, wavers };
  for (const digest of all) {
    const agreeing = replicas.filter((name) => byReplica.get(name)?.size === 1 && byReplica.get(name)?.has(digest));
    if (2 * agreeing.length <= byReplica.size || agreeing.length < OTHERS_THAT_AGREE) continue;
    return { kind: agreeing.includes(own) ? 'other' : 'lost', agreeing, wavers };
  }
  return { kind: 'open', agreeing: [], wavers };
}

/** Do most replicas contradict themselves? Then the engine is to blame, or what runs beside it, and no device. */
export function mostContradict(answers: readonly Said[]): boolean {
  const contradictions = new Map(answers.map(({ replica, contradictions: count }) => [replica, count]));
  const contradicting = [...contradictions.values()].filter((count) => count > 0).length;
  return contradicting >= OTHERS_THAT_AGREE && 2 * contradicting > contradictions.size;
}

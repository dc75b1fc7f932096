import type { Finding } from '../../analysers/finding.js';
import type { Standing } from './standing.js';
import { OTHERS_THAT_AGREE, type Said, voteOf } from './vote.js';

export interface WeightRound {
  readonly own: string;
  readonly worker: number;
  /** Checksums of that worker's weights, its own first. */
  readonly answers: readonly Said[];
  readonly timeUs: number;
}

/** Of one replica: whose weights in memory are other bits than those of the same worker of most others. */
export class WeightWatch {
  readonly #standing: Standing;
  /** Workers that differed in the last round: what is wrong stays so until the weights are loaded anew. */
  readonly #differing = new Set<number>();

  constructor(standing: Standing) {
    this.#standing = standing;
  }

  judge({ own, worker, answers, timeUs }: WeightRound): Finding[] {
    const vote = voteOf(own, answers);
    const agreedBefore = this.#standing.agreedBefore('weights');
    const compared = {
      answers: answers.map(({ replica, node, gpus, digest, again }) => ({
        ...{ node, replica, digest, again, gpu: gpus[worker] ?? '' },
      })),
      ...{ agreedBefore, asked: false, stateEqual: false },
    };
    const base = { type: 'REPLICA_MISMATCH', detector: 'weights', workers: [worker], limit: 0, timeUs } as const;
    if (vote.kind === 'agree' || vote.kind === 'other') {
      this.#differing.delete(worker);
      const others = answers.filter(({ replica }) => vote.agreeing.includes(replica));
      if (!this.#standing.agreed('weights', '', others)) return [];
      const detail = `Worker ${worker} of replica ${own} holds the weights of the others again`;
      const alike = compared.answers.filter(({ replica }) => vote.agreeing.includes(replica));
      return [{ ...base, severity: 'INFO', value: 0, detail, compared: { ...compared, answers: alike } }];
    }
    if (vote.kind !== 'lost' || this.#differing.has(worker)) return [];
    this.#differing.add(worker);
    const others = answers.filter(({ replica }) => vote.agreeing.includes(replica));
    if (this.#standing.agreedWith('weights', '', others) < OTHERS_THAT_AGREE) {
      const onUntold = () => void this.#differing.delete(worker);
      const detail = `Worker ${worker} of replica ${own} holds other weights than ${vote.agreeing.length} others, with which it never agreed since it or they were started: another revision, or a fault of its memory or of the loading`;
      return [{ ...base, type: 'INVARIANT_VIOLATION', severity: 'WARNING', value: 1, detail, onUntold }];
    }
    const takeBack = this.#standing.lost('weights', timeUs);
    const onUntold = () => {
      this.#differing.delete(worker);
      takeBack();
    };
    const detail = `Worker ${worker} of replica ${own} holds other weights than ${vote.agreeing.length} others: its memory is at fault`;
    return [{ ...base, severity: 'CRITICAL', value: 1, detail, compared, onUntold }];
  }

  /** The weights were loaded anew. */
  restart(): void {
    this.#differing.clear();
  }
}

import type { Finding } from '../../analysers/finding.js';
import type { Weights as Checksums } from '../../analysers/weights.js';
import { sha256 } from '../digest.js';
import type { Standing } from '../judge/standing.js';
import { WeightWatch } from '../judge/weight-watch.js';
import type { About } from '../talk/about.js';
import type { Peers } from '../talk/peers.js';
import { ownSaid, peerSaid } from './said.js';

/** Workers that are compared with others in one round. */
const MAX_WORKERS = 64;

/** Checksums of the weights in memory, as the library told them last. */
export class Weights {
  #report: Checksums | null = null;

  take(report: Checksums): void {
    this.#report = report;
  }

  forget(): void {
    this.#report = null;
  }

  get workers(): readonly number[] {
    return (this.#report?.shards ?? []).map(({ worker }) => worker).slice(0, MAX_WORKERS);
  }

  /** Microseconds since the Unix epoch; 0 = there are none. */
  get timeUs(): number {
    return this.#report?.timeUs ?? 0;
  }

  /** Lower-case hexadecimal digits; '' = not known. */
  of(worker: number): string {
    return this.#report?.shards.find((each) => each.worker === worker)?.digest ?? '';
  }

  /** Over all workers; '' = there are none. */
  get all(): string {
    const { workers } = this;
    if (this.#report === null || workers.length === 0) return '';
    return sha256(JSON.stringify([this.#report.algorithm, ...workers.map((worker) => [worker, this.of(worker)])]));
  }
}

export interface WeightRoundsParts {
  readonly weights: Weights;
  readonly standing: Standing;
  readonly peers: Pick<Peers, 'ask'>;
  readonly about: () => About;
  readonly nowUs: () => number;
}

/** Compares checksums of weights with those of the same workers of other replicas. */
export class WeightRounds {
  readonly #parts: WeightRoundsParts;
  readonly #watch: WeightWatch;
  #comparedUs = 0;

  constructor(parts: WeightRoundsParts) {
    this.#parts = parts;
    this.#watch = new WeightWatch(parts.standing);
  }

  /** There are checksums that were not compared yet. */
  get due(): boolean {
    return this.#parts.weights.timeUs > this.#comparedUs;
  }

  restart(): void {
    this.#watch.restart();
    this.#comparedUs = 0;
  }

  async run(): Promise<Finding[]> {
    const { weights, peers, about, nowUs } = this.#parts;
    this.#comparedUs = weights.timeUs;
    const findings: Finding[] = [];
    for (const worker of weights.workers) {
      const others = await peers.ask({ $case: 'weights', value: { worker } });
      const own = ownSaid(about(), 'canary', weights.of(worker), false);
      const answers = [own, ...others.map((peer) => peerSaid(peer, false))];
      findings.push(...this.#watch.judge({ own: own.replica, worker, answers, timeUs: nowUs() }));
    }
    return findings;
  }
}

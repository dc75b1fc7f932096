import { shown } from '@sentinel/monitor-kit/severity';
import type { Finding } from '../../analysers/finding.js';
import { distanceOf, type Exceeded, Tolerance, type Unit, type Values } from './tolerance.js';

/** Values of the answer of a replica. */
export interface Valued extends Values {
  readonly replica: string;
  /** When its server was last seen to start, or to load a model anew, microseconds since the Unix epoch; 0 = not told. */
  readonly sinceUs: number;
}

/** What was asked. */
export interface Subject {
  /** Which of several models, each of which rounds in its own way; '' = there is but one. */
  readonly subject: string;
  readonly unit: Unit;
  readonly timeUs: number;
  /** The same once more of this replica; null = it cannot be asked. */
  readonly again: (() => Promise<Values>) | null;
}

/** Models whose limits are kept; the one that was asked longest ago makes room. */
const MAX_SUBJECTS = 64;

/** Replicas to which it was near that are remembered. */
const MAX_OTHERS = 256;

/** A distance that is no more than so many times what sound answers to the same question are apart says nothing of a device. */
const ALIKE = 4;

/** Newest comparisons of a model of which half may pass the limit: one that passes it more often has other answers for good. */
const RECENT = 128;

const WHAT = {
  canary: { type: 'CANARY_MISMATCH', text: 'its answer to a canary' },
  replay: { type: 'LOGIT_DRIFT', text: 'what it computes of a request again' },
  sample: { type: 'LOGIT_DRIFT', text: 'what it answered to a request' },
} as const;

const HOW_FAR = { log_probability: 'nats', tensor: 'times the size of its values' } as const;

/** Where bits need not be equal: how far this replica is from the nearest other, against what that distance has always been. */
export class SoftWatch {
  readonly #what: keyof typeof WHAT;
  readonly #followed = new Map<string, Followed>();

  constructor(what: keyof typeof WHAT) {
    this.#what = what;
  }

  /** Nothing where it is near to any other: then most are alike, or all are apart for a common cause. */
  async judge(own: Valued, others: readonly Valued[], asked: Subject): Promise<Finding[]> {
    const { unit, timeUs } = asked;
    const distances = others.map((other) => distanceOf(own, other, unit)).filter((distance) => distance !== null);
    if (distances.length === 0) return [];
    const followed = this.#follow(asked);
    const wasNear = followed.takeNear(others, (other) => distanceOf(own, other, unit));
    const exceeded = followed.tolerance.push(Math.min(...distances));
    if (exceeded !== null && !wasNear) return [];
    const excused = exceeded !== null && (await this.#isExcused(exceeded, own, others, asked));
    if (excused) followed.tolerance.learn(exceeded.distance);
    const told = followed.note(exceeded !== null && !excused);
    if (exceeded === null || excused) return [];
    const { distance, limit } = exceeded;
    if (told !== 'it') followed.tolerance.learn(distance);
    if (told === 'nothing') return [];
    const { type, text } = WHAT[this.#what];
    const far = `Replica ${own.replica}: ${text} is ${shown(distance)} ${HOW_FAR[unit]} from that of the nearest of ${distances.length} others, beyond the limit ${shown(limit)} that they themselves have shown`;
    const base = { type, detector: this.#what === 'canary' ? 'canary' : 'replay', workers: 'all', timeUs } as const;
    if (told === 'end') {
      const detail = `${far}. That is so in most comparisons: it has another configuration, other weights or other data, or a fault that was told. It is learned from, and told no more until it is rare`;
      return [{ ...base, severity: 'INFO', value: distance, limit, detail }];
    }
    const severity = others.length > 1 ? 'HIGH' : 'WARNING';
    return [{ ...base, severity, value: distance, limit, detail: far }];
  }

  /** Its server was started anew, perhaps with other weights: to whom it is near is seen anew. */
  restart(): void {
    for (const followed of this.#followed.values()) followed.near.clear();
  }

  /**
   * A model that draws, or whose kernels add in another order each time: its own answers to this request, or those of two others, are as far
   * apart. Of logarithms of probabilities an answer that is not repeated is a fault that comes and goes.
   */
  async #isExcused({ distance }: Exceeded, own: Valued, others: readonly Valued[], { unit, again }: Subject) {
    if (unit !== 'tensor' || !Number.isFinite(distance)) return false;
    const apart = others.flatMap((one, i) => others.slice(i + 1).map((other) => distanceOf(one, other, unit) ?? 0));
    if (apart.length > 0 && distance <= ALIKE * Math.min(...apart)) return true;
    return again !== null && distance <= ALIKE * (distanceOf(own, await again(), unit) ?? 0);
  }

  #follow({ subject, unit }: Subject): Followed {
    const followed = this.#followed.get(subject) ?? new Followed(unit);
    this.#followed.delete(subject);
    this.#followed.set(subject, followed);
    const [oldest] = this.#followed.keys();
    if (this.#followed.size > MAX_SUBJECTS && oldest !== undefined) this.#followed.delete(oldest);
    return followed;
  }
}

/** One model: its limit, and how often it was passed of late. */
class Followed {
  readonly tolerance: Tolerance;
  /** Others to which it was near, and since when their servers ran then. */
  readonly near = new Map<string, number>();
  readonly #recent: boolean[] = [];
  #isUsual = false;

  constructor(unit: Unit) {
    this.tolerance = new Tolerance(unit);
  }

  /** @returns whether it was near to any of them as they are now: others that were started anew may hold other weights */
  takeNear(others: readonly Valued[], distanceTo: (other: Valued) => number | null): boolean {
    const wasNear = others.some(({ replica, sinceUs }) => this.near.get(replica) === sinceUs);
    for (const other of others) {
      const distance = distanceTo(other);
      if (distance === null || distance > this.tolerance.limit) continue;
      this.near.delete(other.replica);
      this.near.set(other.replica, other.sinceUs);
    }
    const [oldest] = this.near.keys();
    if (this.near.size > MAX_OTHERS && oldest !== undefined) this.near.delete(oldest);
    return wasNear;
  }

  /** @returns what is to be told: it, or that it is told no more, or nothing */
  note(exceeded: boolean): 'it' | 'end' | 'nothing' {
    this.#recent.push(exceeded);
    if (this.#recent.length > RECENT) this.#recent.shift();
    const before = this.#isUsual;
    this.#isUsual = 2 * this.#recent.filter(Boolean).length > RECENT;
    if (!exceeded) return 'nothing';
    if (!this.#isUsual) return 'it';
    return before ? 'nothing' : 'end';
  }
}

import { shown } from '@sentinel/monitor-kit/severity';
import type { Finding } from '../../analysers/finding.js';
import { distanceOf, Tolerance, type Values } from './tolerance.js';

/** Values of the answer of a replica. */
export interface Valued extends Values {
  readonly replica: string;
}

const WHAT = {
  canary: { type: 'CANARY_MISMATCH', text: 'its answer to a canary' },
  replay: { type: 'LOGIT_DRIFT', text: 'what it computes of a request again' },
  sample: { type: 'LOGIT_DRIFT', text: 'what it answered to a request' },
} as const;

/** Where bits need not be equal: how far this replica is from the nearest other, against what that distance has always been. */
export class SoftWatch {
  readonly #what: keyof typeof WHAT;
  readonly #tolerance = new Tolerance();

  constructor(what: keyof typeof WHAT) {
    this.#what = what;
  }

  /** Nothing where it is near to any other: then most are alike, or all are apart for a common cause. */
  judge(own: Valued, others: readonly Valued[], timeUs: number): Finding[] {
    const distances = others.map((other) => distanceOf(own, other)).filter((distance) => distance !== null);
    if (distances.length === 0) return [];
    const exceeded = this.#tolerance.push(Math.min(...distances));
    if (exceeded === null) return [];
    const { distance, limit } = exceeded;
    const { type, text } = WHAT[this.#what];
    const detail = `Replica ${own.replica}: ${text} is ${shown(distance)} nats from that of the nearest of ${distances.length} others, beyond the limit ${shown(limit)} that they themselves have shown`;
    const severity = others.length > 1 ? 'HIGH' : 'WARNING';
    const detector = this.#what === 'canary' ? 'canary' : 'replay';
    return [{ type, detector, severity, workers: 'all', timeUs, value: distance, limit, detail }];
  }
}

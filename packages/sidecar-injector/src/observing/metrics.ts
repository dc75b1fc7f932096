import { Counter, createRegistry, type Registry } from '@sentinel/service-kit/metrics';

const OUTCOMES = ['injected', 'not_asked', 'present', 'refused', 'failed', 'invalid'] as const;

export type Outcome = (typeof OUTCOMES)[number];

export class InjectorMetrics {
  readonly registry: Registry = createRegistry();
  readonly #reviews: Counter<'outcome'>;

  constructor() {
    this.#reviews = new Counter({
      name: 'sentinel_injector_reviews_total',
      help: 'Pods that were looked at. refused: an annotation or port is wrong, the creator was told. failed: see the log. invalid: no AdmissionReview of a pod came.',
      labelNames: ['outcome'],
      registers: [this.registry],
    });
    for (const outcome of OUTCOMES) this.#reviews.inc({ outcome }, 0);
  }

  reviewed(outcome: Outcome): void {
    this.#reviews.inc({ outcome });
  }
}

import { Counter, Gauge, type Registry } from '@sentinel/service-kit/metrics';
import type { RoundKind } from './replicas.js';
import type { ShownFile } from './shown-file.js';
import { ASKED, type AskedOutcome } from './talk/peers.js';
import { ANSWERED, type Answered } from './talk/replica-service.js';

const ROUNDS = ['canary', 'replay', 'weights', 'block'] as const satisfies readonly RoundKind[];

export interface ObservedReplicas {
  readonly shown: ShownFile;
  /** Others with which this replica agreed since its server was started. */
  agreedWith(kind: 'canary' | 'replay'): number;
  /** Questions that found their share of the requests used up. */
  refused(): number;
}

/** Comparisons with other replicas; every label has a closed set of values. */
export class ReplicaMetrics {
  readonly #rounds: Counter<'kind'>;
  readonly #skipped: Counter<'kind'>;
  readonly #asked: Counter<'outcome'>;
  readonly #answered: Counter<'outcome'>;

  constructor(registry: Registry, observed: ObservedReplicas) {
    const registers = [registry];
    this.#rounds = new Counter({
      name: 'sentinel_inference_rounds_total',
      help: 'Rounds of comparison that were made. It stands still: the log says why.',
      labelNames: ['kind'],
      registers,
    });
    this.#skipped = new Counter({
      name: 'sentinel_inference_rounds_skipped_total',
      help: 'Rounds that could not be made: the inference server did not answer, or comparisons had used up their share.',
      labelNames: ['kind'],
      registers,
    });
    this.#asked = new Counter({
      name: 'sentinel_inference_replicas_asked_total',
      help: 'Questions to other replicas. away: check replicas.endpoints. not_comparable: another configuration or model. refused: tls or service_token.',
      labelNames: ['outcome'],
      registers,
    });
    this.#answered = new Counter({
      name: 'sentinel_inference_replicas_answered_total',
      help: 'Questions of other replicas. busy: more than are answered at once or in a minute.',
      labelNames: ['outcome'],
      registers,
    });
    for (const kind of ROUNDS) {
      this.#rounds.inc({ kind }, 0);
      this.#skipped.inc({ kind }, 0);
    }
    for (const outcome of ASKED) this.#asked.inc({ outcome }, 0);
    for (const outcome of ANSWERED) this.#answered.inc({ outcome }, 0);
    gauges(registers, observed);
  }

  round(kind: RoundKind): void {
    this.#rounds.inc({ kind });
  }

  skipped(kind: RoundKind): void {
    this.#skipped.inc({ kind });
  }

  asked(outcome: AskedOutcome): void {
    this.#asked.inc({ outcome });
  }

  answered(outcome: Answered): void {
    this.#answered.inc({ outcome });
  }
}

function gauges(registers: Registry[], { shown, agreedWith, refused }: ObservedReplicas): void {
  new Gauge({
    name: 'sentinel_inference_repeatable',
    help: 'Whether answers of the server are compared by their bits: 1 = it was shown to answer alike whatever shares the batch, 0 = not yet, -1 = it does not.',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const kind of ['canary', 'replay'] as const)
        this.set({ kind }, { repeatable: 1, learning: 0, varies: -1 }[shown[kind].phase]);
    },
  });
  new Gauge({
    name: 'sentinel_inference_agreed_with',
    help: 'Other replicas with which this one agreed, bit for bit, since its server was started: from two on another answer of it is hard evidence.',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const kind of ['canary', 'replay'] as const) this.set({ kind }, agreedWith(kind));
    },
  });
  new Gauge({
    name: 'sentinel_inference_contradictions',
    help: 'Of the newest 64 rounds of the server, those in which it did not repeat itself: its device is suspect.',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const kind of ['canary', 'replay'] as const) this.set({ kind }, shown[kind].contradictions);
    },
  });
  new Gauge({
    name: 'sentinel_inference_questions_refused',
    help: 'Questions since the start that were not asked, to keep the share of comparisons in all requests.',
    registers,
    collect() {
      this.set(refused());
    },
  });
}

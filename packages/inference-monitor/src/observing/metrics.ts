import { NOT_SENT, type NotSent } from '@sentinel/monitor-kit/report/outbox';
import { Counter, createRegistry, type Registry } from '@sentinel/service-kit/metrics';

/** The metrics of the monitor; every label has a closed set of values. */
export class MonitorMetrics {
  readonly registry: Registry = createRegistry();
  readonly #notSent: Counter<'reason'>;
  readonly #disconnects: Counter;
  readonly #givenUp: Counter;

  constructor() {
    const registers = [this.registry];
    this.#notSent = new Counter({
      name: 'sentinel_inference_not_sent_total',
      help: 'Findings that were not sent. info: logged alone. repeated, too_many: bounded rate. elsewhere: of an unknown device (gpu_uuids). spool_full: connect the engine.',
      labelNames: ['reason'],
      registers,
    });
    this.#disconnects = new Counter({
      name: 'sentinel_inference_disconnects_total',
      help: 'Connections to the engine that ended or could not be made; the log says what to do.',
      registers,
    });
    this.#givenUp = new Counter({
      name: 'sentinel_inference_records_given_up_total',
      help: 'Records of anomalies that the engine refused for good; the log says why.',
      registers,
    });
    for (const reason of NOT_SENT) this.#notSent.inc({ reason }, 0);
  }

  notSent(reason: NotSent, events: number): void {
    this.#notSent.inc({ reason }, events);
  }

  disconnected(): void {
    this.#disconnects.inc();
  }

  givenUp(records: number): void {
    this.#givenUp.inc(records);
  }
}

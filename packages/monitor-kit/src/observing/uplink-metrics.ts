import { Counter, Gauge, type Registry, readGauge } from '@sentinel/service-kit/metrics';
import { VERSION } from '@sentinel/service-kit/version';
import type { UplinkCounts } from '../monitor-shell.js';
import { NOT_SENT, type NotSent } from '../report/outbox.js';
import type { Severity } from '../severity.js';

const SEVERITIES = ['INFO', 'WARNING', 'HIGH', 'CRITICAL'] as const satisfies readonly Severity[];

/** What is read when somebody asks. */
export interface ObservedUplink {
  readonly node: string;
  connected(): boolean;
  spoolRecords(): number;
  spoolBytes(): number;
}

export interface UplinkMetricsParts<Type extends string> {
  readonly registry: Registry;
  /** Before each name, such as "sentinel_training". */
  readonly prefix: string;
  /** Of the configuration, such as "training_monitor". */
  readonly section: string;
  /** Of findings. */
  readonly types: readonly Type[];
  /** How the device of a finding becomes known. */
  readonly deviceKey: string;
  readonly observed: ObservedUplink;
}

/** What a monitor found, and what became of it on the way to the engine; every label has a closed set of values. */
export class UplinkMetrics<Type extends string> implements UplinkCounts {
  readonly #anomalies: Counter<'type' | 'severity'>;
  readonly #notSent: Counter<'reason'>;
  readonly #disconnects: Counter;
  readonly #givenUp: Counter;

  constructor({ registry, prefix, section, types, deviceKey, observed }: UplinkMetricsParts<Type>) {
    const registers = [registry];
    this.#anomalies = new Counter({
      name: `${prefix}_anomalies_total`,
      help: 'What the analysers found; the log says of whom, `sentinel gpus explain` what the engine makes of it.',
      labelNames: ['type', 'severity'],
      registers,
    });
    this.#notSent = new Counter({
      name: `${prefix}_not_sent_total`,
      help: `Findings that were not sent. info: logged alone. repeated, too_many: bounded rate. elsewhere: of another node or an unknown device (${deviceKey}). spool_full: connect the engine.`,
      labelNames: ['reason'],
      registers,
    });
    this.#disconnects = new Counter({
      name: `${prefix}_disconnects_total`,
      help: 'Connections to the engine that ended or could not be made; the log says what to do.',
      registers,
    });
    this.#givenUp = new Counter({
      name: `${prefix}_records_given_up_total`,
      help: 'Records of anomalies that the engine refused for good; the log says why.',
      registers,
    });
    for (const reason of NOT_SENT) this.#notSent.inc({ reason }, 0);
    for (const type of types) for (const severity of SEVERITIES) this.#anomalies.inc({ type, severity }, 0);
    registerGauges(registry, prefix, section, observed);
  }

  finding({ type, severity }: { readonly type: Type; readonly severity: Severity }): void {
    this.#anomalies.inc({ type, severity });
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

function registerGauges(registry: Registry, prefix: string, section: string, observed: ObservedUplink): void {
  new Gauge({
    name: `${prefix}_info`,
    help: 'Always 1: the name of the node, as the engine has it, and the release of the analyser.',
    labelNames: ['node', 'version'],
    registers: [registry],
  }).set({ node: observed.node, version: VERSION }, 1);
  readGauge(
    registry,
    `${prefix}_grpc_stream_active`,
    '1 while the engine takes anomalies. 0: they wait in the spool; the log says what to do.',
    () => Number(observed.connected()),
  );
  readGauge(
    registry,
    `${prefix}_spool_records`,
    'Records that the engine has not committed yet.',
    observed.spoolRecords,
  );
  readGauge(
    registry,
    `${prefix}_spool_bytes`,
    `Size of the spool; at ${section}.spool.max_bytes anomalies are dropped.`,
    observed.spoolBytes,
  );
}

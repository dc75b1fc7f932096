import { AgentEvent_Kind as Kind } from '@sentinel/contracts/sentinel/v1/probe.js';
import type { GoldenDispute } from '@sentinel/native-probes';
import type { Logger } from '@sentinel/service-kit/logging';
import type { AgentMetrics } from '../observing/metrics.js';
import type { ChildEvent } from '../probe-child/probe-child.js';
import type { LoudFault } from '../telemetry/reading.js';
import type { Reporter } from './reporter.js';

export interface EventParts {
  readonly reporter: Pick<Reporter, 'event'>;
  readonly metrics: Pick<AgentMetrics, 'childFailed' | 'loudFault'>;
  readonly log: Logger;
  /** Device that an SM belongs to; empty for none. */
  readonly deviceOf: (sm: number) => string;
}

/** What happens to the agent besides results: said in the log and sent to the engine. */
export class Events {
  readonly #parts: EventParts;

  constructor(parts: EventParts) {
    this.#parts = parts;
  }

  started(detail: string): void {
    this.#send(Kind.AGENT_STARTED, '', detail);
  }

  stopped(): Promise<void> {
    return this.#parts.reporter.event(Kind.AGENT_STOPPED, '', '');
  }

  childFailed({ kind, detail }: ChildEvent): void {
    this.#parts.metrics.childFailed(kind);
    this.#parts.log.error({ kind }, detail);
    this.#send(kind === 'timeout' ? Kind.CHILD_TIMEOUT : Kind.CHILD_CRASHED, '', detail);
  }

  selfTestFailed(sm: number, sentence: string): void {
    const device = this.#parts.deviceOf(sm);
    this.#parts.log.error({ device, sm }, sentence);
    this.#send(Kind.SELF_TEST_FAILED, device, sentence);
  }

  goldenDisagreed(family: string, { accused, knownAnswers }: GoldenDispute): void {
    const cpus = knownAnswers.map(({ cpu, result }) => `CPU ${cpu} ${result}`).join(', ');
    const verdict = accused === null ? 'nobody is accused' : `CPU ${accused} alone is wrong`;
    const detail = `two CPUs computed different goldens of ${family}; known answers: ${cpus}; ${verdict}`;
    const device = this.#parts.deviceOf(accused ?? knownAnswers[0]?.cpu ?? -1);
    this.#parts.log.error({ device, family, accused }, detail);
    this.#send(Kind.GOLDEN_DISAGREED, device, detail);
  }

  loudFault({ kind, deviceId, detail }: LoudFault): void {
    this.#parts.metrics.loudFault(kind);
    this.#parts.log.error({ device: deviceId, kind }, `loud fault: ${detail}`);
    this.#send(Kind.LOUD_FAULT, deviceId, detail);
  }

  /** @param deviceId '' = Xid events, which are of all devices */
  telemetryChanged(deviceId: string, problem: string | null): void {
    const { log } = this.#parts;
    const device = deviceId === '' ? 'Xid events' : deviceId;
    if (problem === null) log.info({ device }, 'telemetry is back');
    else log.warn({ device, problem }, 'no telemetry: probing goes on');
  }

  #send(kind: Kind, device: string, detail: string): void {
    void this.#parts.reporter.event(kind, device, detail);
  }
}

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
  /** Device that a logical CPU belongs to; empty for none. */
  readonly ownerOf: (cpu: number) => string;
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

  /** @param device that the child is for; empty where it is for several */
  childFailed(device: string, { kind, detail }: ChildEvent): void {
    this.#parts.metrics.childFailed(kind);
    this.#parts.log.error({ kind, device }, detail);
    this.#send(kind === 'timeout' ? Kind.CHILD_TIMEOUT : Kind.CHILD_CRASHED, device, detail);
  }

  /** What an operator should know about what this agent tests. */
  remark(device: string, sentence: string): void {
    this.#parts.log.warn(device === '' ? {} : { device }, sentence);
    if (device !== '') this.#send(Kind.DEVICE_CHANGED, device, sentence);
  }

  /** A device went, came back, or was paused or resumed. */
  deviceChanged(device: string, detail: string): void {
    this.#parts.log.warn({ device }, `device ${device} ${detail}`);
    this.#send(Kind.DEVICE_CHANGED, device, detail);
  }

  scheduleChanged(detail: string): void {
    this.#parts.log.info(detail);
    this.#send(Kind.SCHEDULE_CHANGED, '', detail);
  }

  /** Somebody asked for a schedule that cannot be followed; the one before stays. */
  scheduleRefused(detail: string): void {
    this.#parts.log.error(detail);
    this.#send(Kind.SCHEDULE_CHANGED, '', detail);
  }

  selfTestFailed(device: string, sm: number, sentence: string): void {
    this.#parts.log.error({ device, sm }, sentence);
    this.#send(Kind.SELF_TEST_FAILED, device, sentence);
  }

  /** A family is not scheduled on a device whose SMs do not reproduce its known answers. */
  familyLeftOut(device: string, family: string, reason: string): void {
    const detail = `${family} is not scheduled: ${reason}`;
    this.#parts.log.error({ device, family }, detail);
    this.#send(Kind.SELF_TEST_FAILED, device, detail);
  }

  /** @param device that was under test */
  goldenDisagreed(device: string, family: string, { accused, knownAnswers }: GoldenDispute): void {
    const cpus = knownAnswers.map(({ cpu, result }) => `CPU ${cpu} ${result}`).join(', ');
    const verdict = accused === null ? 'nobody is accused' : `CPU ${accused} alone is wrong`;
    const detail = `two CPUs computed different goldens of ${family}; known answers: ${cpus}; ${verdict}`;
    const owner = this.#parts.ownerOf(accused ?? knownAnswers[0]?.cpu ?? -1) || device;
    this.#parts.log.error({ device: owner, family, accused }, detail);
    this.#send(Kind.GOLDEN_DISAGREED, owner, detail);
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

import type { NotSent, Outbox } from '@sentinel/monitor-kit/report/outbox';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Finding } from '../analysers/finding.js';
import type { Server } from '../grouping/server.js';
import type { Devices } from './devices.js';
import { eventOf } from './event.js';

/** Workers that tell one finding from another. */
const MAX_NAMED = 32;

export interface ReporterParts {
  readonly devices: Devices;
  readonly outbox: Pick<Outbox, 'take'>;
  readonly onFinding: (finding: Finding) => void;
  readonly onNotSent: (reason: NotSent, events: number) => void;
  readonly nowUs: () => bigint;
  readonly log: Logger;
}

/** Tells the engine what the analysers found. */
export class Reporter {
  readonly #parts: ReporterParts;

  constructor(parts: ReporterParts) {
    this.#parts = parts;
  }

  readonly take = (server: Server, finding: Finding): void => {
    const { devices, outbox, onFinding, onNotSent, nowUs, log } = this.#parts;
    const { type, detector, severity, workers, detail, compared } = finding;
    const { model, replica } = server;
    const isHard = compared !== undefined;
    // That replicas agree again is no anomaly.
    if (!isHard || severity !== 'INFO') onFinding(finding);
    if (severity === 'INFO' && !isHard) {
      log.info({ model, replica, detector }, detail);
      return onNotSent('info', 1);
    }
    const event = eventOf(server, finding, devices, nowUs());
    if (event === null) return onNotSent('elsewhere', 1);
    const who = workers === 'all' ? 'all' : [workers.length, ...workers.slice(0, MAX_NAMED)].join(',');
    const key = [replica, model, type, detector, who].join('\0');
    if (!outbox.take({ event, key, testBuild: server.testBuild })) finding.onUntold?.();
  };
}

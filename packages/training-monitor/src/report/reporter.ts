import type { NotSent, Outbox } from '@sentinel/monitor-kit/report/outbox';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Finding } from '../analysers/finding.js';
import type { Sender, StoredCheckpoint } from '../grouping/record.js';
import type { Devices } from './devices.js';
import { eventOf } from './event.js';
import { storedEventOf } from './stored-event.js';

/** Ranks that tell one finding from another. */
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

  readonly take = (job: Sender, finding: Finding): void => {
    const { devices, outbox, onFinding, onNotSent, nowUs, log } = this.#parts;
    const { detector, severity, ranks, step, detail, compared, about = '' } = finding;
    const isHard = compared !== undefined;
    // That ranks agree again is no anomaly.
    if (!isHard || severity !== 'INFO') onFinding(finding);
    if (severity === 'INFO' && !isHard) {
      log.info({ job: job.jobId, detector, ranks: ranks.slice(0, 8), step }, detail);
      return onNotSent('info', 1);
    }
    const event = eventOf(job, finding, devices, nowUs());
    if (event === null) return onNotSent('elsewhere', 1);
    const who = [ranks.length, ...ranks.slice(0, MAX_NAMED)].join(',');
    outbox.take({ event, key: [job.jobId, job.runId, detector, who, about].join('\0'), testBuild: job.testBuild });
  };

  /** For the ledger, or to be held against it. */
  readonly stored = (job: Sender, stored: StoredCheckpoint): void => {
    const { devices, outbox, nowUs } = this.#parts;
    const { event, path, step, parts } = stored;
    const key = [job.jobId, job.runId, event, path, step, ...parts.map(({ digest }) => digest).slice(0, MAX_NAMED)];
    outbox.take({ event: storedEventOf(job, stored, devices, nowUs()), key: key.join('\0'), testBuild: job.testBuild });
  };
}

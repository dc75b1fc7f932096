import {
  type AnomalyEvent,
  AnomalySeverity,
  AnomalyType,
  type SavedCheckpoint,
} from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { eventTime } from '@sentinel/monitor-kit/report/event-parts';
import type { Sender, StoredCheckpoint } from '../grouping/record.js';
import type { Devices } from './devices.js';

/** Of proto/sentinel/v1/anomaly.proto. */
const MAX_PARTS = 64;

/**
 * A checkpoint that was saved or loaded as the engine takes it: what the ledger is to know, or is held against it. Evidence of nothing by
 * itself.
 */
export function storedEventOf(job: Sender, stored: StoredCheckpoint, devices: Devices, nowUs: bigint): AnomalyEvent {
  const { event, step, timeUs, parts } = stored;
  const { jobId: id, framework } = job;
  const checkpoint = checkpointOf(stored);
  return {
    ...{ type: AnomalyType.UNSPECIFIED, source: 'training-monitor/checkpoint', severity: AnomalySeverity.UNSPECIFIED },
    ...{ timeUs: eventTime(timeUs, nowUs), gpus: [], value: 0, limit: 0, detail: '', comparison: undefined },
    job: { id, gpus: devices.count(job), rank: parts[0]?.rank ?? 0, step: BigInt(step), framework },
    saved: event === 'saved' ? checkpoint : undefined,
    loaded: event === 'loaded' ? checkpoint : undefined,
  };
}

function checkpointOf({ path, algorithm, parts }: StoredCheckpoint): SavedCheckpoint {
  return {
    ...{ path, algorithm, moreParts: Math.max(0, parts.length - MAX_PARTS) },
    parts: parts.slice(0, MAX_PARTS).map(({ rank, digest, subject, tensors, bytes }) => ({
      ...{ rank, digest: Buffer.from(digest, 'hex'), subject: Buffer.from(subject, 'hex') },
      ...{ tensors: BigInt(tensors), bytes: BigInt(bytes) },
    })),
  };
}

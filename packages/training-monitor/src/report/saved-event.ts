import { type AnomalyEvent, AnomalySeverity, AnomalyType } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { eventTime } from '@sentinel/monitor-kit/report/event-parts';
import type { Saved, Sender } from '../grouping/record.js';
import type { Devices } from './devices.js';

/** Of proto/sentinel/v1/anomaly.proto. */
const MAX_PARTS = 64;

/** A saved checkpoint as the engine takes it: what the ledger is to know, and evidence of nothing. */
export function savedEventOf(job: Sender, saved: Saved, devices: Devices, nowUs: bigint): AnomalyEvent {
  const { path, algorithm, step, timeUs, parts } = saved;
  const { jobId: id, framework } = job;
  return {
    ...{ type: AnomalyType.UNSPECIFIED, source: 'training-monitor/checkpoint', severity: AnomalySeverity.UNSPECIFIED },
    ...{ timeUs: eventTime(timeUs, nowUs), gpus: [], value: 0, limit: 0, detail: '', comparison: undefined },
    job: { id, gpus: devices.count(job), rank: parts[0]?.rank ?? 0, step: BigInt(step), framework },
    saved: {
      ...{ path, algorithm, moreParts: Math.max(0, parts.length - MAX_PARTS) },
      parts: parts.slice(0, MAX_PARTS).map(({ rank, digest, tensors, bytes }) => ({
        ...{ rank, digest: Buffer.from(digest, 'hex') },
        ...{ tensors: BigInt(tensors), bytes: BigInt(bytes) },
      })),
    },
  };
}

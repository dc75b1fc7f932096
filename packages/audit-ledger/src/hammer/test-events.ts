/** Entries for load: as long and as varied as a decision of the engine, and marked INJECTED, so that none passes for a fact. */
import { randomBytes } from 'node:crypto';
import { type AuditEvent, AuditType } from '@sentinel/contracts/sentinel/v1/audit.js';

/** Bytes of one event on the wire. */
const EVENT_BYTES = 300;
/** GPUs that the entries speak of. */
const GPUS = 4096;
const EVENT_ID_BYTES = 16;
/** Bytes of an event beside its detail. */
const FRAME_BYTES = 76;
const CONFIDENCES = Array.from({ length: 1000 }, (_, i) => String(i / 1000));
const DOTS = '.'.repeat(EVENT_BYTES);

const TYPES = [AuditType.PROBE, AuditType.DECISION, AuditType.ANOMALY] as const;
const NAMES = Array.from({ length: GPUS }, (_, i) => `GPU-${String(i).padStart(8, '0')}-5e47-4bb5-9d2a-0242ac120002`);

/** `first`: number of the first event, which every detail states. */
export function testEvents(run: string, first: number, count: number, nowUs: number): AuditEvent[] {
  const ids = randomBytes(EVENT_ID_BYTES * count);
  const eventUs = BigInt(nowUs);
  return Array.from({ length: count }, (_, i) => {
    const n = first + i;
    return {
      eventId: ids.subarray(i * EVENT_ID_BYTES, (i + 1) * EVENT_ID_BYTES),
      type: TYPES[n % TYPES.length] ?? AuditType.PROBE,
      gpu: NAMES[n % GPUS] ?? '',
      eventUs,
      detail: detailOf(run, n),
      injected: true,
    };
  });
}

/** RFC 8785 by construction: members in order, numbers as JSON writes them. */
function detailOf(run: string, n: number): Buffer {
  const start = `{"confidence":${CONFIDENCES[n % CONFIDENCES.length]},"event":"hammer","family":"fma32","mismatches":${n % 17},"n":${n},"node":"node-${n % 512}","note":"`;
  const end = `","odds":${n % 9973},"run":"${run}","sm":${n % 132}}`;
  const dots = DOTS.slice(0, Math.max(0, EVENT_BYTES - FRAME_BYTES - start.length - end.length));
  return Buffer.from(start + dots + end, 'latin1');
}

import {
  type AnomalyEvent,
  AnomalySeverity,
  AnomalyType,
  StreamAnomalyEventsRequest,
} from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { type Payloads, Spool, type SpoolFolder } from '@sentinel/service-kit/spool';

/** What a record says beside whose it is, which follows from the spool. */
export interface AnomalyPayload {
  readonly createdUs: bigint;
  readonly buildId: string;
  readonly testBuild: boolean;
  readonly events: AnomalyEvent[];
}

export type AnomalySpool = Spool<AnomalyPayload>;

/** Share of the spool that soft anomalies may fill: the rest is for comparisons of bits. */
const SOFT_SHARE = 0.9;

const NOBODY = { node: '', spoolId: Buffer.alloc(0), sequence: 0n };

/**
 * @param monitor its name in sources of anomalies, such as "training-monitor"
 * @param maxBytesKey name of the bound in the configuration
 * @throws SentinelError where another process has it, or it is damaged
 */
export function openAnomalySpool(
  monitor: string,
  folder: SpoolFolder,
  maxBytes: number,
  maxBytesKey: string,
): Promise<AnomalySpool> {
  return Spool.open({ folder, maxBytes, maxBytesKey, payloads: payloadsOf(`${monitor}/given-up`) });
}

const payloadsOf = (source: string): Payloads<AnomalyPayload> => ({
  encode: (payload) => StreamAnomalyEventsRequest.encode({ ...NOBODY, ...payload }).finish(),
  // A full spool takes no more: what was seen first tells most.
  kindOf: () => 'kept',
  giveUp: (bytes) => {
    const payload = StreamAnomalyEventsRequest.decode(bytes);
    const events = [givenUp(source, payload.events.length, payload.createdUs)];
    return StreamAnomalyEventsRequest.encode({ ...payload, testBuild: false, events }).finish();
  },
});

/** Sequences have no gap, so that a record which the engine refuses for ever leaves one that accuses nobody. */
function givenUp(source: string, events: number, timeUs: bigint): AnomalyEvent {
  return {
    type: AnomalyType.INVARIANT_VIOLATION,
    source,
    severity: AnomalySeverity.INFO,
    timeUs,
    gpus: [],
    job: undefined,
    value: events,
    limit: 0,
    detail: `The engine refused a record of ${events} anomalies, which was given up`,
    comparison: undefined,
    saved: undefined,
    loaded: undefined,
  };
}

export function hasRoomForSoft(spool: AnomalySpool, maxBytes: number): boolean {
  return spool.bytes < SOFT_SHARE * maxBytes;
}

export function isOfTestBuild(bytes: Uint8Array): boolean {
  return StreamAnomalyEventsRequest.decode(bytes).testBuild;
}

/** The record as it is sent. */
export function sealed(node: string, spoolId: Buffer, sequence: bigint, bytes: Uint8Array): StreamAnomalyEventsRequest {
  return { ...StreamAnomalyEventsRequest.decode(bytes), node, spoolId, sequence };
}

import type {
  StreamAnomalyEventsRequest,
  StreamAnomalyEventsResponse,
} from '@sentinel/contracts/sentinel/v1/anomaly.js';
import type { Identity } from '@sentinel/service-kit/auth';
import { SentinelError } from '@sentinel/service-kit/errors';
import { connectionOf, failStream, identityOf } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Committer } from '../commit/committer.js';
import { type Admission, invalid } from '../control/handshake.js';
import type { Sessions } from '../control/sessions.js';
import type { MonitorReportRecord } from '../core.js';
import type { Events } from '../events.js';
import type { SpoolMark } from '../store/spools.js';
import { checkHeader, decodeReport, toReport } from './monitor-report.js';
import { sequenceGap } from './sequence-gap.js';
import { type BytesCall, UplinkCall } from './uplink-call.js';
import type { WaitingRoom } from './waiting-room.js';

/** Records of one stream that wait for their commit; at this many it is not read. A monitor sends few. */
export const MONITOR_WINDOW_RECORDS = 64;
/** Of all monitors: several on each node of the largest fleet. */
const MAX_STREAMS = 65_536;
/** Sentences for one stream; what is said once is not said again, and beyond these nothing is. */
const MAX_WARNINGS = 64;
/** Until the agent of its node has said hello. */
const HELLO_RETRY_MS = 5_000;

export interface AnomalyParts {
  readonly committer: Committer;
  readonly sessions: Sessions;
  readonly events: Events;
  readonly log: Logger;
  readonly admission: () => Admission;
  readonly room: WaitingRoom;
}

type Call = BytesCall<StreamAnomalyEventsResponse>;

/** The streams of monitors: one for each spool. */
export class AnomalyStreams {
  readonly #parts: AnomalyParts;
  readonly #open = new Set<AnomalyStream>();
  readonly #bySpool = new Map<SpoolMark, AnomalyStream>();

  constructor(parts: AnomalyParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#open.size;
  }

  readonly handle = (call: Call): void => {
    if (this.#open.size >= MAX_STREAMS) return failStream(call, tooMany(), this.#parts.log);
    const stream = new AnomalyStream(this.#parts, call, {
      bound: (mark) => {
        this.#bySpool.get(mark)?.end(newer());
        this.#bySpool.set(mark, stream);
      },
      over: (mark) => {
        this.#open.delete(stream);
        if (mark !== null && this.#bySpool.get(mark) === stream) this.#bySpool.delete(mark);
      },
    });
    this.#open.add(stream);
    stream.run();
  };

  stop(error: SentinelError): void {
    for (const stream of [...this.#open]) stream.end(error);
  }
}

interface Life {
  /** The first record said which spool it is. */
  bound(mark: SpoolMark): void;
  /** Called once. */
  over(mark: SpoolMark | null): void;
}

/** What one monitor saw: check, queue for the commit, acknowledge. A record that is refused ends this stream alone. */
class AnomalyStream {
  readonly #parts: AnomalyParts;
  readonly #call: Call;
  readonly #life: Life;
  readonly #link: UplinkCall<StreamAnomalyEventsResponse>;
  readonly #said = new Set<string>();
  #unsaid: string[] = [];
  #mark: SpoolMark | null = null;
  /** Newest record taken: committed, or on its way there. */
  #taken = 0;

  constructor(parts: AnomalyParts, call: Call, life: Life) {
    this.#parts = parts;
    this.#call = call;
    this.#life = life;
    this.#link = new UplinkCall<StreamAnomalyEventsResponse>({
      call,
      windowRecords: MONITOR_WINDOW_RECORDS,
      room: parts.room,
      log: parts.log,
      receive: (bytes) => this.#receive(bytes),
      acknowledgement: () => this.#acknowledgement(),
      onRefused: (error) =>
        parts.events.refused('anomalies', error, { node: this.#mark?.node, peer: connectionOf(call) }),
      onOver: () => life.over(this.#mark),
    });
  }

  run(): void {
    this.#link.run();
  }

  end(error: SentinelError): void {
    this.#link.fail(error);
  }

  #receive(bytes: Buffer): void {
    const request = decodeReport(bytes);
    checkHeader(request);
    const mark = this.#mark ?? this.#bind(request);
    if (request.node !== mark.node) throw invalid('node', `must be ${mark.node} in all records of the stream`);
    if (spoolIdOf(request) !== mark.spoolId) throw invalid('spool_id', 'must be the same in all records of the stream');
    const sequence = Number(request.sequence);
    if (sequence <= mark.committed) return this.#link.acknowledge();
    // Already on its way to the commit: acknowledged with it.
    if (sequence <= this.#taken) return;
    if (sequence !== this.#taken + 1) throw sequenceGap(this.#taken + 1, sequence, 'committed_through');
    const record = toReport(request, this.#parts.admission().allowTestBuilds);
    this.#warn(record);
    this.#take(mark, record, bytes.length);
  }

  /** The first record says whose stream it is. */
  #bind(request: StreamAnomalyEventsRequest): SpoolMark {
    const { committer, sessions, admission } = this.#parts;
    const { node } = request;
    checkNode(node, identityOf(this.#call), admission().requireNodeIdentity);
    if (!committer.state.nodes.has(node)) throw helloRequired(node);
    const spoolId = spoolIdOf(request);
    if (sessions.ofNode(node)?.mark.spoolId === spoolId) throw invalid('spool_id', "is that of the node's agent");
    const mark = committer.spools.open(node, spoolId);
    this.#mark = mark;
    this.#taken = mark.committed;
    this.#life.bound(mark);
    return mark;
  }

  #take(mark: SpoolMark, record: MonitorReportRecord, bytes: number): void {
    this.#taken = record.sequence;
    const done = this.#link.wait(bytes);
    this.#parts.committer.submit({
      kind: 'monitor',
      record,
      mark,
      bytes,
      committed: () => {
        done();
        this.#link.acknowledge();
        this.#link.resume();
      },
      failed: (error) => {
        done();
        this.#link.fail(error);
      },
    });
  }

  /** Devices that are not there harm nothing, and are told of. */
  #warn({ node, events }: MonitorReportRecord): void {
    const { devices } = this.#parts.committer.state;
    for (const id of new Set(events.flatMap((event) => ('gpus' in event ? (event.gpus ?? []) : [])))) {
      const device = devices.get(id);
      if (device === undefined) this.#say(`${id} accuses nobody: no agent has named such a device.`);
      else if (device.node !== node)
        this.#say(`${id} accuses nobody: it is a device of ${device.node}, not of ${node}.`);
    }
  }

  #say(sentence: string): void {
    if (this.#said.has(sentence) || this.#said.size >= MAX_WARNINGS) return;
    this.#said.add(sentence);
    this.#unsaid.push(sentence);
    this.#parts.log.warn({ node: this.#mark?.node }, `a monitor says something that accuses nobody: ${sentence}`);
  }

  /** Sentences go with it, each once. */
  #acknowledgement(): StreamAnomalyEventsResponse | null {
    if (this.#mark === null) return null;
    const warnings = this.#unsaid;
    this.#unsaid = [];
    return { committedThrough: BigInt(this.#mark.committed), warnings };
  }
}

function spoolIdOf({ spoolId }: StreamAnomalyEventsRequest): string {
  return Buffer.from(spoolId).toString('hex');
}

/** A certificate that names a node speaks for that node alone; the service token is that of the whole installation. */
function checkNode(node: string, { via, node: certified }: Identity, required: boolean): void {
  if (certified === node) return;
  if (via === 'certificate' && certified !== null)
    throw nodeMismatch(`the certificate is that of ${certified}, the record that of ${node}`);
  if (required) throw nodeMismatch(`${node} showed no certificate with sentinel://node/${node}`);
}

function nodeMismatch(message: string): SentinelError {
  return new SentinelError({
    ...{ code: 'PERMISSION_DENIED', reason: 'NODE_MISMATCH', message, field: 'node' },
    hint: 'A monitor reports for its own node: give it the certificate of that node.',
  });
}

function helloRequired(node: string): SentinelError {
  return new SentinelError({
    ...{ code: 'FAILED_PRECONDITION', reason: 'HELLO_REQUIRED', message: `no agent of ${node} has said hello yet` },
    ...{ field: 'node', retryAfterMs: HELLO_RETRY_MS },
    hint: 'Start the probe agent of the node, under the same node name: until then nothing is known of its devices.',
  });
}

function newer(): SentinelError {
  return new SentinelError({
    code: 'ABORTED',
    reason: 'STALE_OWNER',
    message: 'a newer stream of this spool took over',
  });
}

function tooMany(): SentinelError {
  return new SentinelError({
    ...{ code: 'RESOURCE_EXHAUSTED', message: `${MAX_STREAMS} monitors are connected`, retryAfterMs: HELLO_RETRY_MS },
    hint: 'Look for a monitor that connects again and again.',
  });
}

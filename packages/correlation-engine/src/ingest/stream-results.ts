import type { StreamProbeResultsRequest, StreamProbeResultsResponse } from '@sentinel/contracts/sentinel/v1/probe.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { connectionOf } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Committer } from '../commit/committer.js';
import { type Admission, invalid } from '../control/handshake.js';
import type { Session, Sessions } from '../control/sessions.js';
import { type CoreRecord, checkFits } from '../core.js';
import type { Events } from '../events.js';
import type { Archiver } from '../store/history/archiver.js';
import { decodeEnvelope, decodeRecord, otherNode, type Sender, verifyEnvelope } from './envelope.js';
import { sequenceGap } from './sequence-gap.js';
import { type BytesCall, UplinkCall } from './uplink-call.js';
import type { WaitingRoom } from './waiting-room.js';

/** Records of one stream that wait for their commit; at this many it is not read. */
export const WINDOW_RECORDS = 256;

export interface ResultsParts {
  readonly committer: Committer;
  readonly archiver: Archiver;
  readonly sessions: Sessions;
  readonly events: Events;
  readonly log: Logger;
  readonly admission: () => Admission;
  readonly room: WaitingRoom;
}

type Call = BytesCall<StreamProbeResultsResponse>;

export function streamProbeResults(parts: ResultsParts): (call: Call) => void {
  return (call) => new ResultStream(parts, call).run();
}

/** The uplink of one agent: verify, decode, queue for the commit, acknowledge. A record that is refused ends this stream alone. */
class ResultStream {
  readonly #parts: ResultsParts;
  readonly #connection: string;
  readonly #link: UplinkCall<StreamProbeResultsResponse>;
  #session: Session | null = null;
  #sender: Sender = { node: '', spoolId: '' };
  /** Newest record taken: committed, or on its way there. */
  #taken = 0;

  constructor(parts: ResultsParts, call: Call) {
    this.#parts = parts;
    this.#connection = connectionOf(call);
    this.#link = new UplinkCall<StreamProbeResultsResponse>({
      call,
      windowRecords: WINDOW_RECORDS,
      room: parts.room,
      log: parts.log,
      receive: (bytes) => this.#receive(bytes),
      acknowledgement: () => this.#acknowledgement(),
      onRefused: (error) =>
        parts.events.refused('results', error, { node: this.#sender.node || undefined, peer: this.#connection }),
      onOver: () => {
        if (this.#session !== null) this.#session.uplink = null;
      },
    });
  }

  run(): void {
    this.#link.run();
    this.#link.guard(() => {
      if (this.#parts.sessions.onConnection(this.#connection).size === 0) throw helloRequired();
    });
  }

  #receive(bytes: Buffer): void {
    const envelope = decodeEnvelope(bytes);
    const session = this.#session ?? this.#bind(envelope.node);
    verifyEnvelope(envelope, this.#sender, this.#parts.admission().keys);
    const sequence = Number(envelope.sequence);
    if (sequence <= session.mark.committed) return this.#repeated(session, envelope, sequence);
    // Already on its way to the commit: acknowledged with it.
    if (sequence <= this.#taken) return;
    this.#take(session, envelope, sequence);
  }

  /** The first record says which of the connection's nodes the stream is for; a proxy may carry several over one connection. */
  #bind(node: string): Session {
    const candidates = this.#parts.sessions.onConnection(this.#connection);
    const session = [...candidates].find((candidate) => candidate.node === node);
    if (session === undefined) {
      const [other] = candidates;
      throw other === undefined ? helloRequired() : otherNode(node, other.node);
    }
    session.uplink?.end(
      new SentinelError({ code: 'ABORTED', reason: 'STALE_OWNER', message: 'a newer stream of results took over' }),
    );
    session.uplink = {
      acknowledge: () => this.#link.acknowledge(),
      resume: () => this.#link.resume(),
      end: (error) => this.#link.fail(error),
    };
    this.#session = session;
    this.#sender = { node, spoolId: session.mark.spoolId };
    this.#taken = session.mark.committed;
    return session;
  }

  #take(session: Session, { payload: view }: StreamProbeResultsRequest, sequence: number): void {
    if (sequence !== this.#taken + 1) throw sequenceGap(this.#taken + 1, sequence);
    const record = decodeRecord(view, this.#sender, sequence, this.#parts.admission().allowTestBuilds);
    checkDescribed(record, session);
    // A view would keep the whole receive buffer until the record is archived.
    const payload = Buffer.from(view);
    this.#taken = sequence;
    const done = this.#link.wait(payload.length);
    this.#parts.committer.submit({
      kind: 'uplink',
      record,
      mark: session.mark,
      epoch: session.epoch,
      payload,
      committed: done,
      failed: (error) => {
        done();
        this.#link.fail(error);
      },
    });
  }

  /** Committed before: changes nothing, and is acknowledged again. Its history may not be durable yet. */
  #repeated(session: Session, { payload }: StreamProbeResultsRequest, sequence: number): void {
    const { mark } = session;
    if (sequence > mark.archived) {
      const record = decodeRecord(payload, this.#sender, sequence, true);
      const place = session.unarchived.find((row) => row.first_sequence <= sequence && sequence <= row.last_sequence);
      this.#parts.archiver.offer(mark, {
        node: mark.node,
        spoolId: mark.spoolId,
        sequence,
        commitSeq: place === undefined ? 0 : place.first_commit_seq + (sequence - place.first_sequence),
        nowUs: place?.now_us ?? this.#parts.committer.head.nowUs,
        offsetUs: place?.offset_us ?? 0,
        devices: devicesOf(record),
        payload: Buffer.from(payload),
      });
    }
    this.#link.acknowledge();
  }

  #acknowledgement(): StreamProbeResultsResponse | null {
    if (this.#session === null) return null;
    const { committed, archived } = this.#session.mark;
    return { committedThrough: BigInt(committed), archivedThrough: BigInt(archived) };
  }
}

/**
 * A device does not do more than its agent says it can. What was there before the hello may have been another shape of it: gate 1
 * judges that.
 */
function checkDescribed(record: CoreRecord, { described: { sms, timeUs } }: Session): void {
  if (record.kind !== 'batch' || record.batch.baseTimeUs < BigInt(timeUs)) return;
  const problem = checkFits(record.batch, (id) => sms.get(id));
  if (problem !== undefined) throw invalid(`payload.probe_batch.${problem.field}`, problem.hint);
}

/** Devices that a record says something about. */
export function devicesOf(record: CoreRecord): string[] {
  if (record.kind === 'batch') return [...record.batch.deviceIds];
  if (record.kind === 'agent-events')
    return [...new Set(record.events.map((event) => event.deviceId).filter((id) => id !== ''))];
  if (record.kind === 'telemetry') return [...new Set(record.samples.map(({ deviceId }) => deviceId))];
  return [];
}

function helloRequired(): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    reason: 'HELLO_REQUIRED',
    message: 'no hello was completed on this connection',
    hint: 'Open AgentControl first and keep it open; both streams share one connection.',
  });
}

import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { StreamProbeResultsRequest, StreamProbeResultsResponse } from '@sentinel/contracts/sentinel/v1/probe.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { connectionOf, failStream } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Committer } from '../commit/committer.js';
import { type Admission, invalid } from '../control/handshake.js';
import type { Session, Sessions } from '../control/sessions.js';
import { type CoreRecord, checkFits } from '../core.js';
import type { Events } from '../events.js';
import type { Archiver } from '../store/history/archiver.js';
import { decodeEnvelope, decodeRecord, otherNode, type Sender, verifyEnvelope } from './envelope.js';
import { sequenceGap } from './sequence-gap.js';
import type { WaitingRoom } from './waiting-room.js';

/** Records of one stream that wait for their commit; at this many, or this many bytes, the stream is not read. */
export const WINDOW_RECORDS = 256;
const WINDOW_BYTES = 4 * 1024 * 1024;

export interface ResultsParts {
  readonly committer: Committer;
  readonly archiver: Archiver;
  readonly sessions: Sessions;
  readonly events: Events;
  readonly log: Logger;
  readonly admission: () => Admission;
  readonly room: WaitingRoom;
}

/** Requests arrive as bytes: what cannot be decoded is then refused with a reason instead of breaking the call. */
type Call = ServerDuplexStream<Buffer, StreamProbeResultsResponse>;

export function streamProbeResults(parts: ResultsParts): (call: Call) => void {
  return (call) => new ResultStream(parts, call).run();
}

/** The uplink of one agent: verify, decode, queue for the commit, acknowledge. A record that is refused ends this stream alone. */
class ResultStream {
  readonly #parts: ResultsParts;
  readonly #call: Call;
  readonly #connection: string;
  #session: Session | null = null;
  #sender: Sender = { node: '', spoolId: '' };
  /** Newest record taken: committed, or on its way there. */
  #taken = 0;
  #waiting = 0;
  #waitingBytes = 0;
  #acknowledgeOnDrain = false;
  #halfClosed = false;
  #ended = false;
  readonly #whenRoom = (): void => this.#resume();

  constructor(parts: ResultsParts, call: Call) {
    this.#parts = parts;
    this.#call = call;
    this.#connection = connectionOf(call);
  }

  run(): void {
    const call = this.#call;
    call.on('data', (bytes: Buffer) => this.#guard(() => this.#receive(bytes)));
    call.on('end', () => {
      this.#halfClosed = true;
      this.#closeWhenDone();
    });
    call.on('cancelled', () => this.#forget());
    call.on('error', () => this.#forget());
    call.on('drain', () => {
      if (this.#acknowledgeOnDrain) this.#acknowledge();
    });
    this.#guard(() => {
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
      acknowledge: () => this.#acknowledge(),
      resume: () => this.#resume(),
      end: (error) => this.#fail(error),
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
    this.#waiting += 1;
    this.#waitingBytes += payload.length;
    this.#parts.room.enter(payload.length);
    if (this.#isFull()) this.#call.pause();
    const done = (): void => {
      this.#waiting -= 1;
      this.#waitingBytes -= payload.length;
      this.#parts.room.leave(payload.length);
    };
    this.#parts.committer.submit({
      kind: 'uplink',
      record,
      mark: session.mark,
      epoch: session.epoch,
      payload,
      committed: done,
      failed: (error) => {
        done();
        this.#fail(error);
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
    this.#acknowledge();
  }

  /** Cumulative: one answer says it all, and while the agent does not read only the newest is kept. */
  #acknowledge(): void {
    if (this.#ended || this.#session === null) return;
    this.#acknowledgeOnDrain = this.#call.writableNeedDrain;
    if (this.#acknowledgeOnDrain) return;
    const { committed, archived } = this.#session.mark;
    this.#call.write({ committedThrough: BigInt(committed), archivedThrough: BigInt(archived) });
    this.#closeWhenDone();
  }

  #isFull(): boolean {
    return this.#isKeptOut() || this.#waiting >= WINDOW_RECORDS || this.#waitingBytes >= WINDOW_BYTES;
  }

  /** Where all streams together have too much waiting it goes on once there is room. */
  #isKeptOut(): boolean {
    const { room } = this.#parts;
    if (room.isFull) room.whenRoom(this.#whenRoom);
    return room.isFull;
  }

  #resume(): void {
    if (
      !this.#ended &&
      this.#call.isPaused() &&
      !this.#isKeptOut() &&
      this.#waiting < WINDOW_RECORDS / 2 &&
      this.#waitingBytes < WINDOW_BYTES / 2
    )
      this.#call.resume();
  }

  #closeWhenDone(): void {
    if (!this.#halfClosed || this.#waiting > 0 || this.#ended) return;
    this.#forget();
    this.#call.end();
  }

  #guard(action: () => void): void {
    try {
      if (!this.#ended) action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(thrown: unknown): void {
    if (this.#ended) return;
    const error = SentinelError.from(thrown);
    if (error.reason !== 'SHUTTING_DOWN')
      this.#parts.events.refused('results', error, { node: this.#sender.node || undefined, peer: this.#connection });
    this.#forget();
    failStream(this.#call, thrown, this.#parts.log);
  }

  #forget(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#parts.room.forget(this.#whenRoom);
    if (this.#session !== null) this.#session.uplink = null;
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

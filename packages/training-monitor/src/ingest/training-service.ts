import type { ServerDuplexStream } from '@grpc/grpc-js';
import {
  type StreamStepsRequest,
  type StreamStepsResponse,
  TrainingServiceService,
} from '@sentinel/contracts/sentinel/v1/training.js';
import type { Inbox, Lane } from '@sentinel/monitor-kit/ingest/inbox';
import { SentinelError } from '@sentinel/service-kit/errors';
import { failStream, type ServiceEntry } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Sender, TrainingRecord } from '../grouping/record.js';
import type { Membership } from '../grouping/runs.js';
import { checkHello, checkRecord } from './check-record.js';

/** Streams at once, one for each rank on the node. */
const MAX_STREAMS = 1_024;

/** Records between two answers to the library. */
const ANSWER_EVERY = 64;

type Call = ServerDuplexStream<StreamStepsRequest, StreamStepsResponse>;

export interface TrainingServiceParts {
  readonly inbox: Pick<Inbox, 'push'>;
  readonly join: (sender: Sender) => Membership;
  readonly nowMs: () => number;
  readonly onRecord: (sender: Sender, record: TrainingRecord) => void;
  /** The library dropped so many more records. */
  readonly onLibraryDropped: (records: number) => void;
  readonly onRefused: (error: SentinelError) => void;
  readonly log: Logger;
}

/** Takes what the library in a job tells: one stream for each rank. */
export class TrainingService {
  readonly #parts: TrainingServiceParts;
  readonly #calls = new Set<Call>();

  constructor(parts: TrainingServiceParts) {
    this.#parts = parts;
  }

  get streams(): number {
    return this.#calls.size;
  }

  entry(): ServiceEntry {
    return {
      definition: TrainingServiceService,
      implementation: { streamSteps: (call: Call) => this.#open(call) },
      // Permissions of the socket say who reaches it.
      roles: { StreamSteps: 'anyone' },
    };
  }

  /** Ends all streams: the library comes back when an analyser does. */
  close(): void {
    const message = 'the analyser stops';
    for (const call of this.#calls)
      failStream(call, new SentinelError({ code: 'UNAVAILABLE', message }), this.#parts.log);
  }

  #open(call: Call): void {
    if (this.#calls.size >= MAX_STREAMS) {
      this.#refuse(
        call,
        new SentinelError({ code: 'RESOURCE_EXHAUSTED', message: `${MAX_STREAMS} ranks are connected already` }),
      );
      return;
    }
    this.#calls.add(call);
    const stream = new RankStream(this.#parts, call);
    call.on('data', (request: StreamStepsRequest) => {
      try {
        stream.take(request);
      } catch (error) {
        this.#refuse(call, error);
      }
    });
    const over = () => {
      if (this.#calls.delete(call)) stream.end();
    };
    call.on('end', () => {
      over();
      call.end();
    });
    for (const event of ['close', 'error', 'cancelled']) call.on(event, over);
  }

  #refuse(call: Call, error: unknown): void {
    const known = SentinelError.from(error);
    this.#parts.onRefused(known);
    // What else this rank has sent is not looked at.
    call.removeAllListeners('data');
    call.resume();
    failStream(call, error, this.#parts.log);
  }
}

/** One rank's stream. */
class RankStream {
  readonly #parts: TrainingServiceParts;
  readonly #call: Call;
  readonly #lane: Lane = { waiting: 0 };
  #sender: Sender | null = null;
  #membership: Membership | null = null;
  #received = 0n;
  #analysed = 0n;
  #untold = false;
  #libraryDropped = 0n;
  #replayWanted = false;
  #ended = false;

  constructor(parts: TrainingServiceParts, call: Call) {
    this.#parts = parts;
    this.#call = call;
    call.on('drain', () => {
      if (this.#untold) this.#tell();
    });
  }

  /** @throws SentinelError for a record that is not what it should be */
  take(request: StreamStepsRequest): void {
    const { inbox, join, nowMs, onRecord, onLibraryDropped } = this.#parts;
    this.#received += 1n;
    if (request.dropped > this.#libraryDropped) {
      onLibraryDropped(Number(request.dropped - this.#libraryDropped));
      this.#libraryDropped = request.dropped;
    }
    const sender = this.#sender;
    const membership = this.#membership;
    if (sender === null || membership === null) {
      const { body } = request;
      if (body?.$case !== 'hello') {
        throw new SentinelError({
          code: 'INVALID_ARGUMENT',
          field: 'hello',
          message: 'the first record must be a hello',
        });
      }
      this.#membership = join(checkHello(body.value));
      this.#sender = this.#membership.sender;
      this.#tell();
      return;
    }
    const record = checkRecord(request, sender);
    const taken = inbox.push(this.#lane, () => {
      membership.take(record, nowMs());
      onRecord(sender, record);
      this.#answer(membership);
    });
    if (!taken && this.#lane.waiting === 0) this.#tell();
  }

  end(): void {
    this.#ended = true;
    const membership = this.#membership;
    const { inbox, nowMs } = this.#parts;
    if (membership === null) return;
    // After what it has sent; a full queue must not make it stay.
    const leave = () => membership.leave(nowMs());
    if (!inbox.push({ waiting: 0 }, leave)) leave();
  }

  #answer(membership: Membership): void {
    this.#analysed += 1n;
    if (membership.wantsReplay()) this.#replayWanted = true;
    const due = this.#replayWanted || this.#analysed % BigInt(ANSWER_EVERY) === 0n || this.#lane.waiting === 0;
    if (due) this.#tell();
  }

  /** Where the library does not read, once it does. */
  #tell(): void {
    this.#untold = this.#call.writableNeedDrain;
    if (this.#untold || this.#ended || !this.#call.writable) return;
    const handled = this.#received - BigInt(this.#lane.waiting);
    this.#call.write({ analysed: this.#analysed, replayWanted: this.#replayWanted, handled });
    this.#replayWanted = false;
  }
}

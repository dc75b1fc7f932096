import type { ServerDuplexStream } from '@grpc/grpc-js';
import {
  type Answer,
  InferenceServiceService,
  type Replay,
  type StreamSamplesRequest,
  type StreamSamplesResponse,
} from '@sentinel/contracts/sentinel/v1/inference.js';
import type { Inbox, Lane } from '@sentinel/monitor-kit/ingest/inbox';
import { SentinelError } from '@sentinel/service-kit/errors';
import { failStream, type ServiceEntry } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Weights } from '../analysers/weights.js';
import type { Server } from '../grouping/server.js';
import { checkRecord } from './check-record.js';
import { type Asked, Questions } from './questions.js';
import type { InferenceRecord } from './record.js';

/** Streams at once: the front, and the library in each process of the server. */
const MAX_STREAMS = 64;

/** Records between two answers to the sender. */
const ANSWER_EVERY = 64;

type Call = ServerDuplexStream<StreamSamplesRequest, StreamSamplesResponse>;

/** The front, or a process of the inference server, while it is connected. */
export interface Sender {
  readonly server: Server;
  /** The newest that it told; null = none yet. */
  readonly weights: Weights | null;
  /** The newest request that another replica can compute again; null = none yet. */
  readonly replay: Replay | null;
  /** @throws SentinelError where there is no answer in time */
  ask(body: Asked, timeoutMs: number): Promise<Answer>;
}

export interface Counted {
  /** Requests that passed, sampled or not. */
  readonly seen: number;
  /** Sampled results that could not be read. */
  readonly unread: number;
  /** Records that the sender dropped. */
  readonly dropped: number;
}

export interface InferenceServiceParts {
  readonly inbox: Pick<Inbox, 'push'>;
  /** 0 to 1, as it is now. */
  readonly samplingRate: () => number;
  /** Samples and reports of weights. */
  readonly onRecord: (server: Server, record: InferenceRecord) => void;
  /** What a sender counted since it said so last. */
  readonly onCounted: (counted: Counted) => void;
  readonly onRefused: (error: SentinelError) => void;
  readonly log: Logger;
}

/** Takes what the front and the library in an inference server tell. */
export class InferenceService {
  readonly #parts: InferenceServiceParts;
  readonly #streams = new Map<Call, SenderStream>();

  constructor(parts: InferenceServiceParts) {
    this.#parts = parts;
  }

  /** Those that have said hello. */
  get senders(): readonly Sender[] {
    return [...this.#streams.values()].flatMap((stream) => stream.sender ?? []);
  }

  entry(): ServiceEntry {
    return {
      definition: InferenceServiceService,
      implementation: { streamSamples: (call: Call) => this.#open(call) },
      // Permissions of the socket say who reaches it.
      roles: { StreamSamples: 'anyone' },
    };
  }

  /** Tells the senders the sampling rate, which is another one now. */
  resample(): void {
    for (const stream of this.#streams.values()) stream.resample();
  }

  /** Ends all streams: senders come back when an analyser does. */
  close(): void {
    const message = 'the analyser stops';
    for (const call of this.#streams.keys())
      failStream(call, new SentinelError({ code: 'UNAVAILABLE', message }), this.#parts.log);
  }

  #open(call: Call): void {
    if (this.#streams.size >= MAX_STREAMS) {
      const message = `${MAX_STREAMS} senders are connected already`;
      this.#refuse(call, new SentinelError({ code: 'RESOURCE_EXHAUSTED', message }));
      return;
    }
    const stream = new SenderStream(this.#parts, call);
    this.#streams.set(call, stream);
    call.on('data', (request: StreamSamplesRequest) => {
      try {
        stream.take(request);
      } catch (error) {
        this.#refuse(call, error);
      }
    });
    const over = () => {
      if (this.#streams.delete(call)) stream.end();
    };
    call.on('end', () => {
      over();
      call.end();
    });
    for (const event of ['close', 'error', 'cancelled']) call.on(event, over);
  }

  #refuse(call: Call, error: unknown): void {
    this.#parts.onRefused(SentinelError.from(error));
    // What else it has sent is not looked at.
    call.removeAllListeners('data');
    call.resume();
    failStream(call, error, this.#parts.log);
  }
}

/** One sender's stream. */
class SenderStream {
  readonly #parts: InferenceServiceParts;
  readonly #call: Call;
  readonly #lane: Lane = { waiting: 0 };
  readonly #questions: Questions;
  #server: Server | null = null;
  #weights: Weights | null = null;
  #replay: Replay | null = null;
  #received = 0n;
  #analysed = 0n;
  #untold = false;
  readonly #counted = { seen: 0n, unread: 0n, dropped: 0n };
  #ended = false;

  constructor(parts: InferenceServiceParts, call: Call) {
    this.#parts = parts;
    this.#call = call;
    this.#questions = new Questions((question) => this.#write({ question }));
    call.on('drain', () => {
      if (this.#untold) this.#tell();
    });
  }

  get sender(): Sender | null {
    const server = this.#server;
    if (server === null) return null;
    const ask: Sender['ask'] = (body, timeoutMs) => this.#questions.ask(body, timeoutMs);
    return { server, weights: this.#weights, replay: this.#replay, ask };
  }

  /** @throws SentinelError for a record that is not what it should be */
  take(request: StreamSamplesRequest): void {
    this.#received += 1n;
    this.#count(request);
    // To tell how many have passed needs no record.
    if (request.body === undefined && this.#server !== null) return this.#told();
    const record = checkRecord(request);
    if (record.kind === 'hello') {
      this.#server = record.server;
      this.resample();
      return;
    }
    const server = this.#server;
    if (server === null) {
      const message = 'the first record must be a hello';
      throw new SentinelError({ code: 'INVALID_ARGUMENT', field: 'hello', message });
    }
    if (record.kind === 'answer') {
      this.#questions.answered(record.answer);
      return this.#told();
    }
    if (record.kind === 'weights') this.#weights = record.weights;
    else if (record.replay !== undefined) this.#replay = record.replay;
    const taken = this.#parts.inbox.push(this.#lane, () => {
      this.#parts.onRecord(server, record);
      this.#answer();
    });
    if (!taken) this.#told();
  }

  resample(): void {
    this.#write({ samplingRate: this.#parts.samplingRate() });
  }

  end(): void {
    this.#ended = true;
    this.#questions.end();
  }

  #count(request: StreamSamplesRequest): void {
    const more = (name: keyof Counted): number => {
      const since = request[name] - this.#counted[name];
      if (since <= 0n) return 0;
      this.#counted[name] = request[name];
      return Number(since);
    };
    this.#parts.onCounted({ seen: more('seen'), unread: more('unread'), dropped: more('dropped') });
  }

  #answer(): void {
    this.#analysed += 1n;
    if (this.#analysed % BigInt(ANSWER_EVERY) === 0n) this.#tell();
    else this.#told();
  }

  /** What is not in the inbox is handled. */
  #told(): void {
    if (this.#lane.waiting === 0) this.#tell();
  }

  /** Where the sender does not read, once it does. */
  #tell(): void {
    this.#untold = this.#call.writableNeedDrain;
    if (!this.#untold) this.#write({});
  }

  #write(answer: Partial<StreamSamplesResponse>): boolean {
    if (this.#ended || !this.#call.writable) return false;
    const handled = this.#received - BigInt(this.#lane.waiting);
    this.#call.write({ question: undefined, ...answer, analysed: this.#analysed, handled });
    return true;
  }
}

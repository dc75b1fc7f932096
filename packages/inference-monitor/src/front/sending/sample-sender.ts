import type { ClientDuplexStream } from '@grpc/grpc-js';
import {
  InferenceServiceClient,
  type RequestSample,
  RequestSample as Sample,
  type ServerHello,
  type StreamSamplesRequest,
  type StreamSamplesResponse,
} from '@sentinel/contracts/sentinel/v1/inference.js';
import { Backoff } from '@sentinel/service-kit/backoff';
import { createClient } from '@sentinel/service-kit/grpc-client';
import type { Say } from '../control/messages.js';
import type { FrontCounts } from '../counts.js';
import { SampleQueue } from './sample-queue.js';

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 10_000;
/** For one try to connect. */
const CONNECT_MS = 2_000;
/** So often the analyser hears how many requests passed, where no sample tells it. */
const SEEN_MS = 10_000;

export interface SenderParts {
  readonly socket: string;
  /** Without a model: each sample names the one that was asked, of which a server may have several. */
  readonly hello: ServerHello;
  readonly counts: FrontCounts;
  readonly onRate: (rate: number) => void;
  readonly say: (level: Say, text: string) => void;
}

type Stream = ClientDuplexStream<StreamSamplesRequest, StreamSamplesResponse>;

/** Sends samples to the analyser. Nobody ever waits for it: what finds no room is dropped and counted. */
export class SampleSender {
  readonly #parts: SenderParts;
  readonly #client: InferenceServiceClient;
  readonly #queue: SampleQueue<RequestSample>;
  readonly #backoff = new Backoff({ firstMs: FIRST_RETRY_MS, lastMs: LAST_RETRY_MS });
  readonly #timer: NodeJS.Timeout;
  #stream: Stream | null = null;
  #retry: NodeJS.Timeout | null = null;
  #busy = false;
  #away = false;
  #closed = false;
  #base = { seen: 0, dropped: 0 };
  #toldSeen = 0;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#client = createClient(InferenceServiceClient, { address: `unix:${parts.socket}`, tls: null, token: '' });
    this.#queue = new SampleQueue((records) => {
      parts.counts.dropped += records;
    });
    this.#timer = setInterval(() => this.#tellSeen(), SEEN_MS);
    this.#timer.unref();
    this.#open();
  }

  send(sample: RequestSample): void {
    this.#queue.push(sample, Sample.encode(sample).finish().length);
    this.#flush();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#stream?.end();
    this.#stream = null;
    this.#client.close();
  }

  /** What is written before there is a connection would be lost with it. */
  #open(): void {
    this.#client.waitForReady(Date.now() + CONNECT_MS, (error) => {
      if (this.#closed) return;
      if (error === undefined) this.#begin();
      else this.#tryAgain(error.message);
    });
  }

  #begin(): void {
    this.#reached();
    const { counts } = this.#parts;
    const stream = this.#client.streamSamples();
    this.#stream = stream;
    this.#busy = false;
    this.#base = { seen: counts.requests, dropped: counts.dropped };
    stream.on('data', (answer) => this.#hear(answer));
    stream.on('drain', () => {
      this.#busy = false;
      this.#flush();
    });
    stream.on('error', (error) => this.#lost(stream, error.message));
    stream.on('end', () => this.#lost(stream, 'it ended the stream'));
    this.#hello();
    this.#flush();
  }

  #hello(): void {
    this.#write({ $case: 'hello', value: this.#parts.hello });
  }

  #hear({ samplingRate }: StreamSamplesResponse): void {
    this.#backoff.reset();
    if (samplingRate !== undefined && samplingRate >= 0 && samplingRate <= 1) this.#parts.onRate(samplingRate);
  }

  #reached(): void {
    if (this.#away) this.#parts.say('info', 'the analyser takes samples again');
    this.#away = false;
  }

  #lost(stream: Stream, why: string): void {
    if (this.#stream !== stream) return;
    this.#stream = null;
    this.#tryAgain(why);
  }

  #tryAgain(why: string): void {
    if (this.#closed) return;
    if (!this.#away) this.#parts.say('warn', `the analyser takes no samples (${why}): requests pass all the same`);
    this.#away = true;
    this.#retry = setTimeout(() => this.#open(), this.#backoff.nextMs());
    this.#retry.unref();
  }

  #flush(): void {
    while (this.#stream !== null && !this.#busy) {
      const value = this.#queue.take();
      if (value === undefined) return;
      this.#write({ $case: 'sample', value });
    }
  }

  #tellSeen(): void {
    const { requests } = this.#parts.counts;
    if (this.#stream !== null && !this.#busy && requests !== this.#toldSeen) this.#write(undefined);
  }

  #write(body: StreamSamplesRequest['body']): void {
    const { requests, dropped } = this.#parts.counts;
    this.#toldSeen = requests;
    const sent = this.#stream?.write({
      body,
      seen: BigInt(requests - this.#base.seen),
      // What it does not read it does not draw.
      unread: 0n,
      dropped: BigInt(dropped - this.#base.dropped),
    });
    if (sent === false) this.#busy = true;
  }
}

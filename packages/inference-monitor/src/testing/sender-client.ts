import type { ClientDuplexStream } from '@grpc/grpc-js';
import {
  InferenceServiceClient,
  RequestSample_Kind as Kind,
  type Question,
  RequestSample,
  ServerHello,
  type StreamSamplesRequest,
  type StreamSamplesResponse,
} from '@sentinel/contracts/sentinel/v1/inference.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { createClient } from '@sentinel/service-kit/grpc-client';
import { writeTo } from '@sentinel/service-kit/uplink/stream-queue';

type Body = NonNullable<StreamSamplesRequest['body']>;

/** What sends samples to an analyser, as the front and the library do. */
export class SenderClient {
  readonly #client: InferenceServiceClient;
  readonly #stream: ClientDuplexStream<StreamSamplesRequest, StreamSamplesResponse>;
  readonly #ended = Promise.withResolvers<SentinelError | null>();
  analysed = 0n;
  handled = 0n;
  readonly rates: number[] = [];
  readonly questions: Question[] = [];

  constructor(socket: string) {
    this.#client = createClient(InferenceServiceClient, { address: `unix:${socket}`, tls: null, token: '' });
    this.#stream = this.#client.streamSamples();
    this.#stream.on('data', ({ analysed, samplingRate, question, handled }: StreamSamplesResponse) => {
      this.analysed = analysed;
      this.handled = handled;
      if (samplingRate !== undefined) this.rates.push(samplingRate);
      if (question !== undefined) this.questions.push(question);
    });
    this.#stream.on('error', (error) => this.#ended.resolve(SentinelError.from(error)));
    this.#stream.on('end', () => this.#ended.resolve(null));
  }

  /** What the analyser ended the stream with; null = nothing was wrong. */
  get ended(): Promise<SentinelError | null> {
    return this.#ended.promise;
  }

  async hello(differing: Partial<ServerHello> = {}): Promise<void> {
    const own = { replica: 'r', model: 'm', framework: 'vllm 0.32.0', dtype: 'float32', libraryVersion: '1' };
    const value = ServerHello.fromPartial({ ...own, gpus: ['GPU-0', 'GPU-1'], answers: true, ...differing });
    await this.send({ $case: 'hello', value });
  }

  async sample(differing: Parameters<typeof RequestSample.fromPartial>[0] = {}): Promise<void> {
    const timeUs = BigInt(Date.now()) * 1_000n;
    const own = { kind: Kind.COMPLETION, completionTokens: 2, timeUs, blocks: [{ logprobs: [-1, -2], entropy: 1 }] };
    await this.send({ $case: 'sample', value: RequestSample.fromPartial({ ...own, ...differing }) });
  }

  async send(body: Body, { seen = 0n, unread = 0n, dropped = 0n } = {}): Promise<void> {
    await writeTo(this.#stream, { body, seen, unread, dropped });
  }

  close(): void {
    this.#stream.end();
    this.#stream.on('close', () => this.#client.close());
  }
}

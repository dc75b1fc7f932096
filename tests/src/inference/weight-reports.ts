import type { ClientDuplexStream } from '@grpc/grpc-js';
import {
  InferenceServiceClient,
  ServerHello,
  type StreamSamplesRequest,
  type StreamSamplesResponse,
  WeightReport,
} from '@sentinel/contracts/sentinel/v1/inference.js';
import { createClient } from '@sentinel/service-kit/grpc-client';

const PERIOD_MS = 1_000;

/** What the library in a server tells an analyser of weights that stay right, where the server of a test has no library. */
export class WeightReports {
  readonly #client: InferenceServiceClient;
  readonly #stream: ClientDuplexStream<StreamSamplesRequest, StreamSamplesResponse>;
  readonly #timer: NodeJS.Timeout;

  /** @param socket of the analyser @param replica its name @param model as the server calls it */
  constructor(socket: string, replica: string, model: string) {
    this.#client = createClient(InferenceServiceClient, { address: `unix:${socket}`, tls: null, token: '' });
    this.#stream = this.#client.streamSamples();
    // It ends with the analyser.
    this.#stream.on('error', () => undefined);
    this.#stream.resume();
    const own = { replica, model, framework: 'vllm 0.32.0', dtype: 'float32', libraryVersion: '1', gpus: [''] };
    this.#send({ $case: 'hello', value: ServerHello.fromPartial({ ...own, configHash: Buffer.alloc(32, 7) }) });
    this.#timer = setInterval(() => this.#report(), PERIOD_MS);
  }

  #report(): void {
    const shards = [{ worker: 0, digest: Buffer.alloc(16, 1), bytes: 4n }];
    const report = { timeUs: BigInt(Date.now()) * 1000n, algorithm: 'sum64', shards };
    this.#send({ $case: 'weights', value: WeightReport.fromPartial(report) });
  }

  #send(body: NonNullable<StreamSamplesRequest['body']>): void {
    this.#stream.write({ body, seen: 0n, unread: 0n, dropped: 0n });
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stream.cancel();
    this.#client.close();
  }
}

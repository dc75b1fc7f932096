import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import {
  InferenceServiceService,
  type StreamSamplesRequest,
  type StreamSamplesResponse,
} from '@sentinel/contracts/sentinel/v1/inference.js';

/** Takes samples over a Unix socket and keeps them. */
export class AnalyserStub {
  readonly received: StreamSamplesRequest[] = [];
  readonly #socket: string;
  #server = new Server();
  #streams: ServerDuplexStream<StreamSamplesRequest, StreamSamplesResponse>[] = [];

  constructor(socket: string) {
    this.#socket = socket;
  }

  of<Case extends string>(kind: Case) {
    return this.received.flatMap(({ body }) => (body?.$case === kind ? [body.value] : []));
  }

  start(): Promise<void> {
    this.#server = new Server();
    this.#server.addService(InferenceServiceService, {
      streamSamples: (stream: ServerDuplexStream<StreamSamplesRequest, StreamSamplesResponse>) => {
        this.#streams.push(stream);
        stream.sendMetadata(stream.metadata);
        stream.on('data', (record: StreamSamplesRequest) => this.received.push(record));
        stream.on('error', () => undefined).on('end', () => stream.end());
      },
    });
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`unix:${this.#socket}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  }

  tellRate(samplingRate: number): void {
    for (const stream of this.#streams) stream.write({ analysed: 0n, samplingRate, question: undefined, handled: 0n });
  }

  stop(): void {
    this.#server.forceShutdown();
    this.#streams = [];
  }
}

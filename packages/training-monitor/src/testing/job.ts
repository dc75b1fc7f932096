import type { ClientDuplexStream } from '@grpc/grpc-js';
import {
  RankHello,
  type StreamStepsRequest,
  type StreamStepsResponse,
  TrainingServiceClient,
} from '@sentinel/contracts/sentinel/v1/training.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { createClient } from '@sentinel/service-kit/grpc-client';
import { writeTo } from '@sentinel/service-kit/uplink/stream-queue';
import type { Sender } from '../grouping/record.js';

type Body = NonNullable<StreamStepsRequest['body']>;

/** A job of replicas on one node, each on a GPU of its own. */
export function senderOf(ranks: number, rank = 0, differing: Partial<Sender> = {}): Sender {
  const places = Array.from({ length: ranks }, (_, k) => ({ node: 'node-1', gpu: `GPU-${k}`, replicaGroup: 1 }));
  const job = { jobId: 'job', runId: 'run', framework: 'pytorch 2.13.0 ddp', libraryVersion: '1', testBuild: false };
  return { ...job, rank, places, ...differing };
}

/** One rank that tells an analyser of its steps, as the library does. */
export class RankClient {
  readonly sender: Sender;
  readonly #client: TrainingServiceClient;
  readonly #stream: ClientDuplexStream<StreamStepsRequest, StreamStepsResponse>;
  readonly #ended = Promise.withResolvers<SentinelError | null>();
  analysed = 0n;
  handled = 0n;
  /** Answers that wanted a replay. */
  replaysWanted = 0;

  constructor(socket: string, sender: Sender) {
    this.sender = sender;
    this.#client = createClient(TrainingServiceClient, { address: `unix:${socket}`, tls: null, token: '' });
    this.#stream = this.#client.streamSteps();
    this.#stream.on('data', ({ analysed, replayWanted, handled }: StreamStepsResponse) => {
      this.analysed = analysed;
      this.handled = handled;
      if (replayWanted) this.replaysWanted += 1;
    });
    this.#stream.on('error', (error) => this.#ended.resolve(SentinelError.from(error)));
    this.#stream.on('end', () => this.#ended.resolve(null));
  }

  /** What the analyser ended the stream with; null = nothing was wrong. */
  get ended(): Promise<SentinelError | null> {
    return this.#ended.promise;
  }

  async hello(): Promise<void> {
    const { places, ...job } = this.sender;
    await this.send({ $case: 'hello', value: RankHello.fromPartial({ ...job, ranks: [...places] }) });
  }

  async send(body: Body, dropped = 0n): Promise<void> {
    await writeTo(this.#stream, { body, dropped });
  }

  /** @param digests by rank, two hexadecimal digits or more */
  async replicas(step: number, digests: readonly string[]): Promise<void> {
    const checksums = digests.map((digest) => Buffer.from(digest.repeat(32).slice(0, 64), 'hex'));
    await this.send({ $case: 'replicas', value: { step: BigInt(step), timeUs: timeOf(step), checksums, blocks: [] } });
  }

  close(): void {
    this.#stream.end();
    this.#stream.on('close', () => this.#client.close());
  }

  /** As a process that is killed. */
  cut(): void {
    this.#stream.cancel();
    this.#client.close();
  }
}

/** Steps last a second, from a day in 2023 on. */
export function timeOf(step: number): bigint {
  return 1_700_000_000_000_000n + BigInt(step) * 1_000_000n;
}

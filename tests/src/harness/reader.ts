import { connect } from 'node:http2';
import { Metadata } from '@grpc/grpc-js';
import { CorrelationServiceClient, type QueryFleetHealthResponse } from '@sentinel/contracts/sentinel/v1/health.js';
import { QuarantineServiceClient, type StreamDirectivesResponse } from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { createClient } from '@sentinel/service-kit/grpc-client';
import { until } from './until.js';

const FLEET = { nodePrefix: '', model: '', state: 0, limit: 0, pageToken: '' } as const;
const PATIENCE_MS = 30_000;

/** A client that reads what an engine knows, through one door. */
export class Reader {
  readonly #health: CorrelationServiceClient;
  readonly #orders: QuarantineServiceClient;

  constructor(address: string) {
    const connection = { address, tls: null, token: '' };
    this.#health = createClient(CorrelationServiceClient, connection);
    this.#orders = createClient(QuarantineServiceClient, connection);
  }

  /** @throws the error of gRPC, at the deadline at the latest */
  fleet(deadlineMs: number): Promise<QueryFleetHealthResponse> {
    const deadline = Date.now() + deadlineMs;
    return new Promise((resolve, reject) => {
      this.#health.queryFleetHealth(FLEET, new Metadata(), { deadline }, (error, answer) =>
        error === null ? resolve(answer) : reject(error),
      );
    });
  }

  /** Follows the directives from the first one on. */
  directives(): { readonly count: number; readonly error: SentinelError | null } {
    const seen: { count: number; error: SentinelError | null } = { count: 0, error: null };
    const stream = this.#orders.streamDirectives({ after: undefined, fromNow: false });
    stream.on('data', ({ message }: StreamDirectivesResponse) => {
      if (message?.$case === 'directive') seen.count += 1;
    });
    stream.on('error', (error) => {
      seen.error = SentinelError.from(error);
    });
    return seen;
  }

  close(): void {
    this.#health.close();
    this.#orders.close();
  }
}

export interface StalledDirectives {
  /** Reads at last. Resolves with the status of gRPC that ended the stream, and all bytes that had been on their way. */
  drained(): Promise<{ status: string; bytes: number }>;
}

/** A call of StreamDirectives that takes nothing, as gRPC's own client cannot: it would gather what comes. */
export function stalledDirectives(address: string): StalledDirectives {
  const session = connect(`http://${address}`);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/sentinel.v1.QuarantineService/StreamDirectives',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  // An empty message.
  stream.end(Buffer.alloc(5));
  let status = '';
  stream.on('trailers', (trailers) => {
    status = String(trailers['grpc-status']);
  });
  return {
    drained: async () => {
      let bytes = 0;
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      await until('the stream ends', PATIENCE_MS, () => status !== '');
      session.close();
      return { status, bytes };
    },
  };
}

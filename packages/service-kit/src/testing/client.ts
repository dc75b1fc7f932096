import { type ClientDuplexStream, Metadata } from '@grpc/grpc-js';
import {
  ProbeServiceClient,
  type StreamProbeResultsRequest,
  type StreamProbeResultsResponse,
} from '@sentinel/contracts/sentinel/v1/probe.js';
import {
  IssueDirectiveRequest,
  type IssueDirectiveResponse,
  QuarantineServiceClient,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { SentinelError } from '../errors.js';
import { type ClientConnection, callUnary, createClient } from '../grpc-client.js';
import { TOKENS } from './server.js';

export interface Caller extends Disposable {
  order(fields?: Partial<IssueDirectiveRequest>, deadlineMs?: number): Promise<IssueDirectiveResponse>;
  /** The order's failure. @throws Error when it succeeds */
  refusal(fields?: Partial<IssueDirectiveRequest>, deadlineMs?: number): Promise<SentinelError>;
}

/** Gives orders over a connection of its own. */
export function caller(address: string, connection: Partial<ClientConnection> = {}): Caller {
  const to = { address, tls: null, token: TOKENS.operator, maxMessageBytes: 1 << 30, ...connection };
  const client = createClient(QuarantineServiceClient, to);
  const order: Caller['order'] = (fields, deadlineMs) =>
    callUnary(client, client.issueDirective, IssueDirectiveRequest.fromPartial(fields ?? {}), deadlineMs);
  return {
    order,
    refusal: (fields, deadlineMs) =>
      order(fields, deadlineMs).then(
        () => {
          throw new Error('the order was taken');
        },
        (error: unknown) => SentinelError.from(error),
      ),
    [Symbol.dispose]: () => client.close(),
  };
}

export interface ResultStream extends Disposable {
  /** Sends one record and waits for its acknowledgement. */
  send(sequence: bigint, payload?: Uint8Array): Promise<bigint>;
  /** How the stream ends: its failure, or null. */
  readonly ended: Promise<SentinelError | null>;
}

/** An uplink over a connection of its own. */
export function resultStream(address: string, token = ''): ResultStream {
  const client = createClient(ProbeServiceClient, { address, tls: null, token, maxMessageBytes: 1 << 30 });
  const call: ClientDuplexStream<StreamProbeResultsRequest, StreamProbeResultsResponse> = client.streamProbeResults(
    new Metadata(),
  );
  const ended = new Promise<SentinelError | null>((resolve) => {
    call.on('error', (error) => resolve(SentinelError.from(error)));
    call.on('end', () => resolve(null));
  });
  return {
    send: (sequence, payload = new Uint8Array()) => {
      call.write({ node: 'n', spoolId: new Uint8Array(16), sequence, payload, keyId: '', mac: new Uint8Array(32) });
      return new Promise((resolve) => call.once('data', (ack) => resolve(ack.committedThrough)));
    },
    ended,
    [Symbol.dispose]: () => {
      call.cancel();
      client.close();
    },
  };
}

import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { AgentControlRequest, AgentControlResponse } from '@sentinel/contracts/sentinel/v1/control.js';
import {
  ProbeServiceService,
  type StreamProbeResultsRequest,
  type StreamProbeResultsResponse,
} from '@sentinel/contracts/sentinel/v1/probe.js';
import {
  type IssueDirectiveRequest,
  type IssueDirectiveResponse,
  QuarantineServiceService,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import type { Identity } from '../auth.js';
import {
  failStream,
  type GrpcServer,
  type GrpcServerOptions,
  identityOf,
  type ServiceEntry,
  startGrpcServer,
  unary,
} from '../grpc-server.js';
import { silentLogger } from '../logging.js';

export const TOKENS = { operator: 'operator-token', service: 'service-token' };
export const MAX_MESSAGE_BYTES = 64 * 1024;

export const NOTHING_DONE: IssueDirectiveResponse = { transition: undefined, pending: undefined };

/** What a test makes of a unary call. */
export type OnOrder = (
  request: IssueDirectiveRequest,
  identity: Identity,
) => Promise<IssueDirectiveResponse> | IssueDirectiveResponse;

/** Orders are for operators; whoever can connect may stream results, each of which is acknowledged by its sequence. */
export function testServices(onOrder: OnOrder = () => NOTHING_DONE, log = silentLogger()) {
  const orders: ServiceEntry = {
    // One method stands for all that operators may call.
    definition: { issueDirective: QuarantineServiceService.issueDirective },
    implementation: { issueDirective: unary(onOrder, log) },
    roles: { IssueDirective: ['operator', 'admin'] },
  };
  const results: ServiceEntry = {
    definition: ProbeServiceService,
    implementation: {
      streamProbeResults: (call: ServerDuplexStream<StreamProbeResultsRequest, StreamProbeResultsResponse>) => {
        call.on('data', ({ sequence }: StreamProbeResultsRequest) =>
          call.write({ committedThrough: sequence, archivedThrough: 0n }),
        );
        call.on('end', () => call.end());
      },
      // Answers with who asked, as the text of a refusal.
      agentControl: (call: ServerDuplexStream<AgentControlRequest, AgentControlResponse>) =>
        failStream(call, new Error(JSON.stringify(identityOf(call))), log),
    },
    roles: { StreamProbeResults: 'anyone', AgentControl: ['agent'] },
  };
  return [orders, results];
}

/** A server on a free loopback port, stopped by `await using`. */
export async function testServer(options: Partial<GrpcServerOptions> = {}): Promise<GrpcServer & AsyncDisposable> {
  const server = await startGrpcServer({
    address: '127.0.0.1:0',
    addressKey: 'correlation_engine.listen_address',
    tls: null,
    insecure: false,
    tokens: TOKENS,
    services: testServices(),
    maxMessageBytes: MAX_MESSAGE_BYTES,
    log: silentLogger(),
    ...options,
  });
  return { ...server, [Symbol.asyncDispose]: () => server.stop() };
}

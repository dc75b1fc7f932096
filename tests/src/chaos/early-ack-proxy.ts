import { setTimeout as delay } from 'node:timers/promises';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import type { AgentControlRequest, AgentControlResponse } from '@sentinel/contracts/sentinel/v1/control.js';
import {
  ProbeServiceClient,
  ProbeServiceService,
  type StreamProbeResultsRequest,
  type StreamProbeResultsResponse,
} from '@sentinel/contracts/sentinel/v1/probe.js';
import { createClient } from '@sentinel/service-kit/grpc-client';

/** How long a record stays here after its acknowledgement: what an engine that acknowledges first has not committed yet. */
const HELD_MS = 400;
/** An agent that leaves takes nothing back: what it sent is still delivered. */
export const DRAIN_MS = 2 * HELD_MS;

/**
 * The mutant that the crash test must catch: an engine that acknowledges a record before it commits it. It is the real engine with
 * this in front of it, so that the product itself has no such switch.
 */
export class EarlyAckProxy {
  readonly address: string;
  readonly #server: Server;
  readonly #holding: Holding;

  private constructor(server: Server, port: number, holding: Holding) {
    this.#server = server;
    this.#holding = holding;
    this.address = `127.0.0.1:${port}`;
  }

  static async start(engine: string): Promise<EarlyAckProxy> {
    const server = new Server();
    const upstreams = new Upstreams(engine);
    const holding = { records: 0 };
    server.addService(ProbeServiceService, {
      agentControl: (call: ServerDuplexStream<AgentControlRequest, AgentControlResponse>) =>
        forwardControl(call, upstreams),
      streamProbeResults: (call: ServerDuplexStream<StreamProbeResultsRequest, StreamProbeResultsResponse>) =>
        acknowledgeFirst(call, upstreams, holding),
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    return new EarlyAckProxy(server, port, holding);
  }

  /** Records that are acknowledged and not passed on yet. */
  get held(): number {
    return this.#holding.records;
  }

  [Symbol.dispose](): void {
    this.#server.forceShutdown();
  }
}

interface Holding {
  records: number;
}

/** One connection to the engine for each of an agent: both streams must share it. */
class Upstreams {
  readonly #engine: string;
  readonly #clients = new Map<string, ProbeServiceClient>();

  constructor(engine: string) {
    this.#engine = engine;
  }

  of(peer: string): ProbeServiceClient {
    const known = this.#clients.get(peer);
    if (known !== undefined) return known;
    const client = createClient(ProbeServiceClient, { address: this.#engine, tls: null, token: '' });
    this.#clients.set(peer, client);
    return client;
  }

  drop(peer: string): void {
    this.#clients.get(peer)?.close();
    this.#clients.delete(peer);
  }
}

function forwardControl(
  call: ServerDuplexStream<AgentControlRequest, AgentControlResponse>,
  upstreams: Upstreams,
): void {
  const upstream = upstreams.of(call.getPeer()).agentControl();
  call.on('data', (request: AgentControlRequest) => upstream.write(request));
  upstream.on('data', (response: AgentControlResponse) => call.write(response));
  upstream.on('error', (error) => call.emit('error', error));
  upstream.on('end', () => call.end());
  call.on('end', () => upstream.end());
  call.on('cancelled', () => {
    void delay(DRAIN_MS).then(() => {
      upstream.cancel();
      upstreams.drop(call.getPeer());
    });
  });
}

function acknowledgeFirst(
  call: ServerDuplexStream<StreamProbeResultsRequest, StreamProbeResultsResponse>,
  upstreams: Upstreams,
  holding: Holding,
): void {
  const upstream = upstreams.of(call.getPeer()).streamProbeResults();
  call.on('data', (request: StreamProbeResultsRequest) => {
    call.write({ committedThrough: request.sequence, archivedThrough: request.sequence });
    holding.records += 1;
    void delay(HELD_MS).then(() => {
      holding.records -= 1;
      upstream.write(request);
    });
  });
  upstream.on('data', () => undefined);
  upstream.on('error', (error) => call.emit('error', error));
  call.on('cancelled', () => void delay(DRAIN_MS).then(() => upstream.cancel()));
}

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
/** An agent that leaves takes nothing back: what it sent is still delivered, unless the engine dies of it or takes longer than this. */
const DRAIN_MS = 30_000;

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
    const holding = { records: 0, streams: 0 };
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

  /** Whatever it acknowledged is kept by the engine, or lost: no stream of an agent is left. */
  get idle(): boolean {
    return this.#holding.records === 0 && this.#holding.streams === 0;
  }

  [Symbol.dispose](): void {
    this.#server.forceShutdown();
  }
}

interface Holding {
  records: number;
  /** To the engine, with results. */
  streams: number;
}

/** One connection to the engine for each of an agent: both streams must share it. */
class Upstreams {
  readonly #engine: string;
  readonly #clients = new Map<string, ProbeServiceClient>();
  readonly #drained = new Map<string, Promise<unknown>>();

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

  /** What an agent sent is on its way until `drained`: no longer than that its streams live on without it. */
  carry(peer: string, drained: Promise<unknown>): void {
    this.#drained.set(peer, drained);
  }

  async drop(peer: string): Promise<void> {
    await this.#drained.get(peer);
    this.#drained.delete(peer);
    this.#clients.get(peer)?.close();
    this.#clients.delete(peer);
  }
}

function forwardControl(
  call: ServerDuplexStream<AgentControlRequest, AgentControlResponse>,
  upstreams: Upstreams,
): void {
  const peer = call.getPeer();
  const upstream = upstreams.of(peer).agentControl();
  call.on('data', (request: AgentControlRequest) => upstream.write(request));
  upstream.on('data', (response: AgentControlResponse) => call.write(response));
  upstream.on('error', (error) => call.emit('error', error));
  upstream.on('end', () => call.end());
  call.on('end', () => upstream.end());
  // The engine takes results only beside the control stream.
  call.on('cancelled', () => void upstreams.drop(peer).then(() => upstream.cancel()));
}

function acknowledgeFirst(
  call: ServerDuplexStream<StreamProbeResultsRequest, StreamProbeResultsResponse>,
  upstreams: Upstreams,
  holding: Holding,
): void {
  const peer = call.getPeer();
  const upstream = upstreams.of(peer).streamProbeResults();
  const left = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  let [last, archived] = [0n, 0n];
  holding.streams += 1;
  const kept = async (): Promise<void> => {
    await left.promise;
    const end = performance.now() + DRAIN_MS;
    while (archived < last && performance.now() < end) await delay(HELD_MS / 10);
  };
  const drained = Promise.race([kept(), over.promise]);
  upstreams.carry(peer, drained);
  void drained.then(() => upstream.cancel());
  call.on('data', (request: StreamProbeResultsRequest) => {
    last = request.sequence;
    call.write({ committedThrough: request.sequence, archivedThrough: request.sequence });
    holding.records += 1;
    void delay(HELD_MS).then(() => {
      holding.records -= 1;
      upstream.write(request);
    });
  });
  upstream.on('data', ({ archivedThrough }: StreamProbeResultsResponse) => {
    archived = archivedThrough;
  });
  upstream.on('error', (error) => call.emit('error', error));
  // Of every call, however it ends.
  upstream.on('status', () => {
    holding.streams -= 1;
    over.resolve();
  });
  call.on('cancelled', () => left.resolve());
}

import type { KeyObject } from 'node:crypto';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import {
  type AgentControlRequest,
  type AgentControlResponse,
  type AgentHeartbeat,
  type DirectiveStatus,
  Hello,
  type Welcome,
} from '@sentinel/contracts/sentinel/v1/control.js';
import type {
  ProbeServiceClient,
  StreamProbeResultsRequest,
  StreamProbeResultsResponse,
} from '@sentinel/contracts/sentinel/v1/probe.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { batchMac, helloMac } from '@sentinel/service-kit/mac';
import { type RecordSource, Sender } from '@sentinel/service-kit/uplink/sender';
import { writeTo } from '@sentinel/service-kit/uplink/stream-queue';

type ControlStream = ClientDuplexStream<AgentControlRequest, AgentControlResponse>;
type ResultStream = ClientDuplexStream<StreamProbeResultsRequest, StreamProbeResultsResponse>;

/** Time for challenge and welcome together. */
const HELLO_TIMEOUT_MS = 10_000;

/** Heartbeat where the engine names none. */
const DEFAULT_HEARTBEAT_MS = 10_000;

/** An engine that was silent for so many heartbeats is gone. */
const MISSED_HEARTBEATS = 3;

/** Statuses of directives that wait for the stream, at most one for each directive. */
const MAX_PENDING_STATUSES = 8_192;

export interface Identity {
  readonly node: string;
  readonly keyId: string;
  readonly agentKey: KeyObject;
}

export interface SessionSpool extends RecordSource {
  readonly spoolId: Uint8Array;
}

export interface SessionParts {
  readonly client: Pick<ProbeServiceClient, 'agentControl' | 'streamProbeResults'>;
  readonly identity: Identity;
  readonly spool: SessionSpool;
  readonly hello: () => Hello;
  readonly heartbeat: () => AgentHeartbeat;
  /** The engine knows this agent now. Throws to end the session. */
  readonly onWelcome: (welcome: Welcome) => void;
  readonly onMessage: (message: AgentControlResponse['message']) => void;
}

/** One connection to the engine: hello, challenge, proof, welcome, then both streams until one of them ends. */
export class Session {
  readonly #parts: SessionParts;
  readonly #control: ControlStream;
  #hello: Uint8Array = new Uint8Array();
  #results: ResultStream | undefined;
  #sender: Sender<StreamProbeResultsRequest> | undefined;
  readonly #statuses = new Map<string, AgentControlRequest>();
  #sendingStatuses = false;
  #heartbeat: NodeJS.Timeout | undefined;
  #silentBeats = 0;
  #closing = false;
  readonly #ended = Promise.withResolvers<void>();

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#control = parts.client.agentControl();
  }

  /** Runs until the connection ends. Resolves after `close`, rejects with why it ended otherwise. */
  async run(): Promise<void> {
    const helloTimer = setTimeout(() => {
      const message = `the engine did not complete the hello within ${HELLO_TIMEOUT_MS} ms`;
      if (this.#sender === undefined) this.#fail(new SentinelError({ code: 'DEADLINE_EXCEEDED', message }));
    }, HELLO_TIMEOUT_MS);
    try {
      this.#watch(this.#control, 'control');
      this.#control.on('data', (response: AgentControlResponse) => this.#guard(() => this.#received(response.message)));
      const hello = this.#parts.hello();
      this.#hello = Hello.encode(hello).finish();
      this.#control.write({ message: { $case: 'hello', value: hello } });
      await this.#ended.promise;
    } finally {
      clearTimeout(helloTimer);
      clearInterval(this.#heartbeat);
      this.#control.cancel();
      this.#results?.cancel();
    }
  }

  /** New records are in the spool. */
  wake(): void {
    this.#sender?.pump().catch((error: unknown) => this.#fail(error));
  }

  /** Tells the engine how far a directive is; a newer status replaces one that still waits. */
  status(value: DirectiveStatus): void {
    if (this.#statuses.size >= MAX_PENDING_STATUSES && !this.#statuses.has(value.id)) return;
    this.#statuses.set(value.id, { message: { $case: 'directiveStatus', value } });
    void this.#sendStatuses();
  }

  /** Sends what the window allows and ends both streams in order, or after `graceMs` anyhow. */
  close(graceMs: number): void {
    this.#closing = true;
    // The engine ends its side of the results when it has taken them; that ends the session.
    const sent = this.#sender?.pump() ?? Promise.resolve();
    sent.finally(() => (this.#results ?? this.#control).end()).catch(() => {});
    setTimeout(() => this.#ended.resolve(), graceMs).unref();
  }

  #received(message: AgentControlResponse['message']): void {
    this.#silentBeats = 0;
    switch (message?.$case) {
      case 'challenge':
        this.#prove(message.value.nonce);
        return;
      case 'welcome':
        this.#welcomed(message.value);
        return;
      case undefined:
      case 'heartbeat':
      case 'directive':
      case 'cancel':
      case 'pause':
      case 'schedule':
        if (this.#sender !== undefined) this.#parts.onMessage(message);
    }
  }

  #prove(nonce: Uint8Array): void {
    const { identity, spool } = this.#parts;
    const mac = helloMac(identity.agentKey, identity.node, spool.spoolId, nonce, this.#hello);
    this.#control.write({ message: { $case: 'proof', value: { mac, hello: this.#hello } } });
  }

  #welcomed(welcome: Welcome): void {
    checkWelcome(welcome, this.#parts.spool.lastSequence);
    this.#parts.onWelcome(welcome);
    const { committedThrough, archivedThrough } = welcome;
    this.#parts.spool.acknowledge(committedThrough, archivedThrough).catch((error: unknown) => this.#fail(error));
    const results = this.#parts.client.streamProbeResults();
    this.#results = results;
    this.#watch(results, 'results');
    const sender = new Sender(this.#parts.spool, welcome, this.#seal, (request) => writeTo(results, request));
    this.#sender = sender;
    results.on('data', (ack: StreamProbeResultsResponse) => {
      this.#silentBeats = 0;
      sender.acknowledged(ack).catch((error: unknown) => this.#fail(error));
    });
    this.#beat(welcome.heartbeatIntervalMs || DEFAULT_HEARTBEAT_MS);
    void this.#sendStatuses();
    this.wake();
  }

  readonly #seal = (sequence: bigint, payload: Uint8Array): StreamProbeResultsRequest => {
    const { identity, spool } = this.#parts;
    const header = { node: identity.node, spoolId: spool.spoolId, sequence };
    return { ...header, payload, keyId: identity.keyId, mac: batchMac(identity.agentKey, header, payload) };
  };

  #watch(stream: ControlStream | ResultStream, name: string): void {
    stream.on('error', (error) => this.#fail(error));
    stream.on('end', () => {
      this.#fail(new SentinelError({ code: 'UNAVAILABLE', message: `the engine ended the ${name} stream` }));
    });
  }

  #beat(intervalMs: number): void {
    this.#heartbeat = setInterval(() => {
      this.#silentBeats += 1;
      if (this.#silentBeats > MISSED_HEARTBEATS) {
        const message = `the engine was silent for ${MISSED_HEARTBEATS * intervalMs} ms`;
        this.#fail(new SentinelError({ code: 'UNAVAILABLE', message }));
        return;
      }
      // A stream that does not drain gets no further heartbeats: the engine's silence then ends the session.
      if (this.#control.writableNeedDrain) return;
      this.#control.write({ message: { $case: 'heartbeat', value: this.#parts.heartbeat() } });
    }, intervalMs);
  }

  /** Not before the welcome: until then the engine takes nothing but the hello and its proof. */
  async #sendStatuses(): Promise<void> {
    if (this.#sendingStatuses || this.#sender === undefined) return;
    this.#sendingStatuses = true;
    for (let [next] = this.#statuses; next !== undefined; [next] = this.#statuses) {
      const [id, request] = next;
      this.#statuses.delete(id);
      if (!(await writeTo(this.#control, request))) break;
    }
    this.#sendingStatuses = false;
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#closing) this.#ended.resolve();
    else this.#ended.reject(error);
  }
}

/** An engine that has more of this spool than the agent means that the data folder is an old copy: its sequences are used up. */
function checkWelcome({ committedThrough, archivedThrough }: Welcome, lastSequence: bigint): void {
  if (committedThrough <= lastSequence && archivedThrough <= committedThrough) return;
  throw new SentinelError({
    code: 'FAILED_PRECONDITION',
    message: `the engine has ${committedThrough} records of this spool, which ends at ${lastSequence}`,
    hint: 'The data folder is an old copy: remove its spool folder, so that a new spool is begun.',
  });
}

import type { KeyObject } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Device } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  type AgentControlRequest,
  type AgentControlResponse,
  type Directive,
  Hello,
  type Welcome,
} from '@sentinel/contracts/sentinel/v1/control.js';
import {
  type ProbeBatch,
  ProbeServiceClient,
  ProbeServiceService,
  type StreamProbeResultsRequest,
  type StreamProbeResultsResponse,
  UplinkPayload,
} from '@sentinel/contracts/sentinel/v1/probe.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type ClientConnection, createClient } from '@sentinel/service-kit/grpc-client';
import { batchMac, deriveAgentKey, helloMac } from '@sentinel/service-kit/mac';
import { until } from './until.js';

type ResultStream = ClientDuplexStream<StreamProbeResultsRequest | Buffer, StreamProbeResultsResponse>;

const TIMEOUT_MS = 30_000;
/** More than the engine takes: what is too large must be refused there, not here. */
const MAX_MESSAGE_BYTES = 256 * 1024 * 1024;
const BUILD_ID = 'scripted-agent';

export interface ScriptedAgentOptions {
  readonly connection: Omit<ClientConnection, 'token'>;
  readonly node: string;
  readonly fleetKey: string;
  readonly keyId?: string;
  readonly devices: readonly Device[];
  readonly testBuild?: boolean;
}

/** A client that speaks an agent's protocol with the right keys and says exactly what a test tells it to. */
export class ScriptedAgent {
  readonly node: string;
  spoolId: Buffer = uuidV7();
  readonly directives: Directive[] = [];
  readonly acks: StreamProbeResultsResponse[] = [];
  sequence = 0;
  welcome: Welcome | null = null;
  readonly #options: ScriptedAgentOptions;
  readonly #client: ProbeServiceClient;
  readonly #key: KeyObject;
  #control: ClientDuplexStream<AgentControlRequest, AgentControlResponse> | null = null;
  #results: ResultStream | null = null;
  #failure: SentinelError | null = null;

  constructor(options: ScriptedAgentOptions) {
    this.#options = options;
    this.node = options.node;
    this.#key = deriveAgentKey(Buffer.from(options.fleetKey), options.node);
    this.#client = createClient(ProbeServiceClient, {
      ...options.connection,
      token: '',
      maxMessageBytes: MAX_MESSAGE_BYTES,
    });
  }

  /** Hello, proof, welcome; the results stream is opened by the first record. @throws SentinelError as the engine answered */
  async hello(change: { readonly tamperMac?: boolean } = {}): Promise<Welcome> {
    const control = this.#client.agentControl();
    this.#control = control;
    const hello = this.#hello();
    const bytes = Hello.encode(hello).finish();
    const welcomed = Promise.withResolvers<Welcome>();
    control.on('error', (error) => welcomed.reject(this.#failed(error)));
    control.on('end', () => welcomed.reject(this.#failed(new Error('the engine ended the control stream'))));
    control.on('data', ({ message }: AgentControlResponse) => {
      if (message?.$case === 'challenge') {
        const mac = helloMac(this.#key, this.node, this.spoolId, message.value.nonce, bytes);
        if (change.tamperMac === true) mac[0] = (mac[0] ?? 0) ^ 1;
        control.write({ message: { $case: 'proof', value: { mac, hello: bytes } } });
      }
      if (message?.$case === 'welcome') welcomed.resolve(message.value);
      if (message?.$case === 'directive') this.directives.push(message.value);
    });
    control.write({ message: { $case: 'hello', value: hello } });
    this.welcome = await welcomed.promise;
    return this.welcome;
  }

  #hello(): Hello {
    const { keyId = 'default', devices, testBuild = false } = this.#options;
    return {
      node: this.node,
      spoolId: this.spoolId,
      buildId: BUILD_ID,
      testBuild,
      agentVersion: '0.0.0',
      keyId,
      agentTimeUs: BigInt(Date.now()) * 1000n,
      devices: [...devices],
      lastSequence: BigInt(this.sequence),
    };
  }

  /** The envelope of a batch under the next sequence, ready to send. */
  seal(batch: ProbeBatch, sequence = this.sequence + 1): StreamProbeResultsRequest {
    const { testBuild = false } = this.#options;
    const payload = UplinkPayload.encode({
      createdUs: BigInt(Date.now()) * 1000n,
      buildId: BUILD_ID,
      testBuild,
      body: { $case: 'probeBatch', value: batch },
    }).finish();
    return this.sealBytes(payload, sequence);
  }

  sealBytes(payload: Uint8Array, sequence = this.sequence + 1): StreamProbeResultsRequest {
    const header = { node: this.node, spoolId: this.spoolId, sequence: BigInt(sequence) };
    return { ...header, payload, keyId: this.#options.keyId ?? 'default', mac: batchMac(this.#key, header, payload) };
  }

  /** Writes an envelope, or bytes in the place of one, as they are. */
  write(envelope: StreamProbeResultsRequest | Buffer): void {
    this.#stream().write(envelope);
  }

  /** Sends a batch under the next sequence and waits until it is committed. */
  async send(batch: ProbeBatch): Promise<StreamProbeResultsRequest> {
    const envelope = this.seal(batch);
    this.sequence += 1;
    this.write(envelope);
    await this.committed(this.sequence);
    return envelope;
  }

  get committedThrough(): number {
    return Math.max(0, ...this.acks.map((ack) => Number(ack.committedThrough)));
  }

  committed(sequence: number): Promise<true> {
    return until(`${this.node}: commit of ${sequence}`, TIMEOUT_MS, () => {
      if (this.#failure !== null) throw this.#failure;
      return this.committedThrough >= sequence ? true : undefined;
    });
  }

  /** How the engine refuses what was last written. @throws Error when it does not */
  refusal(): Promise<SentinelError> {
    return until(`${this.node}: refusal`, TIMEOUT_MS, () => this.#failure ?? undefined);
  }

  get failure(): SentinelError | null {
    return this.#failure;
  }

  directive(kind: NonNullable<Directive['work']>['$case']): Promise<Directive> {
    return until(`${this.node}: ${kind} directive`, TIMEOUT_MS, () =>
      this.directives.find(({ work }) => work?.$case === kind),
    );
  }

  close(): void {
    this.#results?.cancel();
    this.#control?.cancel();
    this.#client.close();
  }

  #stream(): ResultStream {
    if (this.#results !== null) return this.#results;
    const { path, requestSerialize, responseDeserialize } = ProbeServiceService.streamProbeResults;
    const serialize = (message: StreamProbeResultsRequest | Buffer): Buffer =>
      Buffer.isBuffer(message) ? message : requestSerialize(message);
    const results = this.#client.makeBidiStreamRequest(path, serialize, responseDeserialize);
    results.on('data', (ack: StreamProbeResultsResponse) => this.acks.push(ack));
    results.on('error', (error) => this.#failed(error));
    this.#results = results;
    return results;
  }

  #failed(error: unknown): SentinelError {
    this.#failure ??= SentinelError.from(error);
    return this.#failure;
  }
}

/** 48 bits of milliseconds, version 7, variant 10, the rest random (RFC 9562). */
export function uuidV7(nowMs = Date.now()): Buffer {
  const id = randomBytes(16);
  id.writeUIntBE(nowMs, 0, 6);
  id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x70, 6);
  id.writeUInt8((id.readUInt8(8) & 0x3f) | 0x80, 8);
  return id;
}

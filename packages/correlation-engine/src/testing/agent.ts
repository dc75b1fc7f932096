import type { KeyObject } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { AgentControlRequest, AgentControlResponse, Welcome } from '@sentinel/contracts/sentinel/v1/control.js';
import { Hello } from '@sentinel/contracts/sentinel/v1/control.js';
import {
  ProbeBatch,
  ProbeServiceClient,
  type StreamProbeResultsRequest,
  type StreamProbeResultsResponse,
  UplinkPayload,
} from '@sentinel/contracts/sentinel/v1/probe.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type ClientConnection, createClient } from '@sentinel/service-kit/grpc-client';
import { batchMac, deriveAgentKey, helloMac } from '@sentinel/service-kit/mac';
import { columns, type RunSpec, SMS } from '../evidence/testing/batches.js';
import { FLEET_KEY } from './engine.js';

/** How long a test waits for what should come at once: far beyond what a machine that stands still for seconds adds. */
const PATIENCE_MS = 60_000;
/** A delivery that hears nothing for so long connects again, as an agent does. */
const RESEND_MS = 10_000;
/** Between two tries to deliver. */
const AGAIN_MS = 50;
/** A delivery that takes longer has failed: a test that has ended must not be kept alive by it. */
const DELIVERY_MS = 240_000;

export interface AgentOptions {
  readonly node?: string;
  readonly devices?: readonly string[];
  readonly fleetKey?: string;
  readonly keyId?: string;
  readonly testBuild?: boolean;
  readonly buildId?: string;
  readonly serial?: string;
  readonly slot?: string;
  /** null = plaintext. */
  readonly tls?: ClientConnection['tls'];
  /** Continues the spool of another agent: what it has, under its name. */
  readonly spoolId?: Buffer;
  /** Milliseconds since the Unix epoch, as the agent believes. */
  readonly clock?: () => number;
}

/** An agent of a test: speaks the protocol, keeps its spool in memory, and lies where it is told to. */
export class TestAgent {
  readonly node: string;
  readonly spoolId: Buffer;
  readonly key: KeyObject;
  readonly #address: string;
  readonly #options: AgentOptions;
  readonly #events = new EventEmitter();
  readonly messages: NonNullable<AgentControlResponse['message']>[] = [];
  readonly payloads: Buffer[] = [];
  ack: StreamProbeResultsResponse = { committedThrough: 0n, archivedThrough: 0n };
  error: SentinelError | null = null;
  welcome: Welcome | null = null;
  #client: ProbeServiceClient | null = null;
  #control: ClientDuplexStream<AgentControlRequest, AgentControlResponse> | null = null;
  #results: ClientDuplexStream<StreamProbeResultsRequest, StreamProbeResultsResponse> | null = null;

  constructor(address: string, options: AgentOptions = {}) {
    this.#address = address;
    this.#options = options;
    this.node = options.node ?? 'node-1';
    this.spoolId = options.spoolId ?? randomBytes(16);
    this.key = deriveAgentKey(Buffer.from(options.fleetKey ?? FLEET_KEY), this.node);
    this.#events.setMaxListeners(0);
  }

  get device(): string {
    return this.#options.devices?.[0] ?? `CPU-${this.node}`;
  }

  get #now(): number {
    return this.#options.clock?.() ?? Date.now();
  }

  /** A new connection with its hello, to another engine if `address` names one. Resolves with the welcome or rejects with the refusal. */
  async connect(address = this.#address, patienceMs = PATIENCE_MS): Promise<Welcome> {
    this.close();
    this.error = null;
    this.welcome = null;
    const client = createClient(ProbeServiceClient, { address, tls: this.#options.tls ?? null, token: '' });
    const control = client.agentControl();
    this.#client = client;
    this.#control = control;
    const hello = this.hello();
    const bytes = Buffer.from(Hello.encode(hello).finish());
    control.on('error', (error) => this.#failed(error));
    control.on('data', ({ message }: AgentControlResponse) => {
      if (message === undefined) return;
      this.messages.push(message);
      if (message.$case === 'challenge') {
        const mac = helloMac(this.key, this.node, this.spoolId, message.value.nonce, bytes);
        control.write({ message: { $case: 'proof', value: { mac, hello: bytes } } });
      }
      if (message.$case === 'welcome') this.welcome = message.value;
      this.#events.emit('change');
    });
    control.write({ message: { $case: 'hello', value: hello } });
    await this.until(() => this.welcome !== null || this.error !== null, patienceMs);
    const welcome = this.welcome as Welcome | null;
    if (welcome === null) throw this.error ?? new Error('no answer');
    this.ack = { committedThrough: welcome.committedThrough, archivedThrough: welcome.archivedThrough };
    return welcome;
  }

  hello(): Hello {
    const families = [1, 2].map((family) => ({
      family: family as 1 | 2,
      probeVersion: 1,
      selfTestSmsRun: SMS.length,
      selfTestSmsPassed: SMS.length,
      instructions: [],
    }));
    return {
      node: this.node,
      spoolId: this.spoolId,
      buildId: this.#options.buildId ?? 'build-1',
      testBuild: this.#options.testBuild ?? false,
      agentVersion: 'test',
      keyId: this.#options.keyId ?? 'default',
      agentTimeUs: BigInt(this.#now) * 1000n,
      lastSequence: BigInt(this.payloads.length),
      devices: (this.#options.devices ?? [this.device]).map((id) => ({
        id,
        model: 'test CPU',
        vendor: 'test',
        sms: [...SMS],
        driverVersion: '1',
        vbiosVersion: '',
        cudaVersion: '',
        serial: this.#options.serial ?? '',
        slot: this.#options.slot ?? '',
        note: '',
        families,
      })),
    };
  }

  /** Opens the stream of results on the same connection. */
  openResults(): ClientDuplexStream<StreamProbeResultsRequest, StreamProbeResultsResponse> {
    this.#client ??= createClient(ProbeServiceClient, {
      address: this.#address,
      tls: this.#options.tls ?? null,
      token: '',
    });
    const results = this.#client.streamProbeResults();
    results.on('error', (error) => this.#failed(error));
    results.on('data', (ack: StreamProbeResultsResponse) => {
      this.ack = ack;
      this.#events.emit('change');
    });
    this.#results = results;
    return results;
  }

  /** Adds a batch to the spool. @returns its sequence */
  batch(specs: readonly RunSpec[] = [{}]): bigint {
    const value = ProbeBatch.fromPartial(columns(this.#now * 1000, this.device, specs) as ProbeBatch);
    return this.payload({ $case: 'probeBatch', value });
  }

  /** Adds batches of one run each. */
  batches(count: number): this {
    for (let index = 0; index < count; index += 1) this.batch([{ index }]);
    return this;
  }

  payload(body: UplinkPayload['body']): bigint {
    const { testBuild = false, buildId = 'build-1' } = this.#options;
    const payload = UplinkPayload.encode({ createdUs: BigInt(this.#now) * 1000n, buildId, testBuild, body }).finish();
    this.payloads.push(Buffer.from(payload));
    return BigInt(this.payloads.length);
  }

  /** The envelope of a record of the spool. */
  seal(sequence: bigint, fields: Partial<StreamProbeResultsRequest> = {}): StreamProbeResultsRequest {
    const payload = fields.payload ?? this.payloads[Number(sequence) - 1] ?? Buffer.alloc(0);
    const header = { node: this.node, spoolId: this.spoolId, sequence };
    const { keyId = 'default' } = this.#options;
    return { ...header, payload, keyId, mac: batchMac(this.key, header, payload), ...fields };
  }

  send(...requests: StreamProbeResultsRequest[]): void {
    const results = this.#results ?? this.openResults();
    for (const request of requests) results.write(request);
  }

  /** Sends records of the spool, in this order. */
  sendAll(...sequences: bigint[]): void {
    this.send(...sequences.map((sequence) => this.seal(sequence)));
  }

  /** Reports on a directive. */
  report(id: string, state: 1 | 2 | 3 | 4): void {
    this.#control?.write({
      message: { $case: 'directiveStatus', value: { id, state, executions: 0, failures: 0, reason: '' } },
    });
  }

  /**
   * Sends what is not archived, again and again, as an agent does, until all of the spool is.
   * @param pace rests so long after so many records
   * @param address asked for each connection: an engine that starts again may have another
   */
  async deliver(pace: { readonly records: bigint; readonly restMs: number }, address: () => string): Promise<void> {
    const last = BigInt(this.payloads.length);
    const until = performance.now() + DELIVERY_MS;
    while (this.ack.archivedThrough < last) {
      if (performance.now() > until) throw new Error(`${this.node} could not deliver in ${DELIVERY_MS / 1000} s`);
      try {
        const { archivedThrough } = await this.connect(address(), RESEND_MS);
        for (let next = archivedThrough + 1n; next <= last && this.error === null; next += 1n) {
          this.sendAll(next);
          if (next % pace.records === 0n) await sleep(pace.restMs);
        }
        await this.until(() => this.ack.archivedThrough >= last || this.error !== null, RESEND_MS);
      } catch {
        await sleep(AGAIN_MS);
      }
    }
  }

  committed(through: bigint): Promise<void> {
    return this.until(() => this.ack.committedThrough >= through);
  }

  archived(through: bigint): Promise<void> {
    return this.until(() => this.ack.archivedThrough >= through);
  }

  failed(): Promise<SentinelError> {
    return this.until(() => this.error !== null).then(() => this.error as SentinelError);
  }

  async until(condition: () => boolean, patienceMs = PATIENCE_MS): Promise<void> {
    const signal = AbortSignal.timeout(patienceMs);
    while (!condition()) {
      await once(this.#events, 'change', { signal }).catch(() => {
        throw new Error(
          `waited in vain; ack ${this.ack.committedThrough}/${this.ack.archivedThrough}, error ${this.error?.sentence}`,
        );
      });
    }
  }

  close(): void {
    this.#results?.cancel();
    this.#control?.cancel();
    this.#client?.close();
    this.#results = null;
    this.#control = null;
    this.#client = null;
  }

  #failed(error: Error): void {
    const known = SentinelError.from(error);
    if (known.code === 'CANCELLED') return;
    this.error ??= known;
    this.#events.emit('change');
  }
}

/** Whether an engine lets an agent in and takes a record of it. @returns 'welcome', or the reason of the refusal */
export async function tryToReport(address: string, options: AgentOptions): Promise<string> {
  const agent = new TestAgent(address, options);
  try {
    await agent.connect();
    agent.sendAll(agent.batch());
    await agent.archived(1n);
    return 'welcome';
  } catch (error) {
    return SentinelError.from(error).reason;
  } finally {
    agent.close();
  }
}

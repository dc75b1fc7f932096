import type { KeyObject } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import {
  type AgentControlRequest,
  type AgentControlResponse,
  type Directive,
  type DirectiveStatus,
  Hello,
} from '@sentinel/contracts/sentinel/v1/control.js';
import {
  ProbeServiceService,
  type StreamProbeResultsRequest,
  type StreamProbeResultsResponse,
  UplinkPayload,
} from '@sentinel/contracts/sentinel/v1/probe.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { connectionOf, failStream, type GrpcServer, startGrpcServer } from '@sentinel/service-kit/grpc-server';
import { silentLogger } from '@sentinel/service-kit/logging';
import { batchMac, deriveAgentKey, helloMac, macEquals } from '@sentinel/service-kit/mac';
import type { TlsFiles } from '@sentinel/service-kit/tls';

type Control = ServerDuplexStream<AgentControlRequest, AgentControlResponse>;
type Results = ServerDuplexStream<StreamProbeResultsRequest, StreamProbeResultsResponse>;

export interface StubRecord {
  readonly sequence: bigint;
  readonly payload: UplinkPayload;
  readonly bytes: Buffer;
}

/** An engine's side of the wire for tests of the agent: proves hello and MAC, keeps records in memory, acknowledges as told. */
export class EngineStub {
  readonly fleetKey: string;
  /** Every record received, repeated ones too, in order. */
  readonly received: StubRecord[] = [];
  readonly hellos: Hello[] = [];
  readonly statuses: DirectiveStatus[] = [];
  readonly violations: string[] = [];
  /** Sent after each welcome. */
  directives: Directive[] = [];
  /** Answer each record at once with committed = archived. */
  acknowledging = true;
  /** As an engine without `allow_test_builds` does. */
  refusingTestBuilds = false;
  committed = 0n;
  archived = 0n;
  welcomeWith: Partial<{ committedThrough: bigint; archivedThrough: bigint }> = {};
  #server: GrpcServer | undefined;
  #control: Control | undefined;
  #results: Results | undefined;
  #proved = '';

  constructor(fleetKey: string) {
    this.fleetKey = fleetKey;
  }

  get address(): string {
    return this.#server?.address ?? '';
  }

  /** @param files certificate, key and authority: then only TLS clients with a certificate of it are served */
  async start(address = '127.0.0.1:0', files: TlsFiles | null = null): Promise<void> {
    this.#server = await startGrpcServer({
      address,
      addressKey: 'stub',
      tls: files === null ? null : { files, keyPrefix: 'stub.tls', mutual: true },
      insecure: false,
      tokens: { operator: '', service: '' },
      maxMessageBytes: 8 * 1024 * 1024,
      log: silentLogger(),
      services: [
        {
          definition: ProbeServiceService,
          implementation: {
            agentControl: (call: Control) => this.#onControl(call),
            streamProbeResults: (call: Results) => this.#onResults(call),
          },
          roles: { AgentControl: 'anyone', StreamProbeResults: 'anyone' },
        },
      ],
    });
  }

  /** Ends both streams as a restarting engine does, and listens no more. */
  async stop(): Promise<void> {
    this.cut();
    await this.#server?.stop();
    this.#server = undefined;
  }

  /** Ends the connection's streams; the agent may come back. */
  cut(): void {
    for (const call of [this.#control, this.#results]) {
      call?.emit('error', { code: status.UNAVAILABLE, details: 'cut by the test' });
    }
    this.#control = undefined;
    this.#results = undefined;
  }

  send(message: NonNullable<AgentControlResponse['message']>): void {
    this.#control?.write({ message });
  }

  acknowledge(committedThrough: bigint, archivedThrough: bigint): void {
    this.committed = committedThrough;
    this.archived = archivedThrough;
    this.#results?.write({ committedThrough, archivedThrough });
  }

  /** Records by sequence, each once. */
  distinct(): Map<bigint, StubRecord> {
    return new Map(this.received.map((record) => [record.sequence, record]));
  }

  #onControl(call: Control): void {
    const nonce = randomBytes(32);
    this.#control = call;
    call.on('data', ({ message }: AgentControlRequest) => {
      if (message?.$case === 'hello') call.write({ message: { $case: 'challenge', value: { nonce } } });
      if (message?.$case === 'proof') this.#onProof(call, nonce, message.value);
      if (message?.$case === 'directiveStatus') this.#onStatus(call, message.value);
      if (message?.$case === 'heartbeat') {
        call.write({ message: { $case: 'heartbeat', value: { engineTimeUs: BigInt(Date.now()) * 1000n } } });
      }
    });
    call.on('end', () => call.end());
    call.on('error', () => {});
  }

  #onStatus(call: Control, directive: DirectiveStatus): void {
    if (connectionOf(call) !== this.#proved) this.violations.push('a status on a connection without a hello');
    this.statuses.push(directive);
  }

  #onProof(call: Control, nonce: Buffer, proof: { readonly mac: Uint8Array; readonly hello: Uint8Array }): void {
    const hello = Hello.decode(proof.hello);
    const expected = helloMac(this.#key(hello.node), hello.node, hello.spoolId, nonce, proof.hello);
    if (!macEquals(expected, proof.mac)) {
      const error = new SentinelError({
        code: 'UNAUTHENTICATED',
        reason: 'BAD_MAC',
        message: 'the proof does not match',
      });
      failStream(call, error, silentLogger());
      return;
    }
    this.hellos.push(hello);
    this.#proved = connectionOf(call);
    const value = {
      engineTimeUs: BigInt(Date.now()) * 1000n,
      committedThrough: this.committed,
      archivedThrough: this.archived,
      fencingEpoch: BigInt(this.hellos.length),
      // The agent takes an engine for gone that is silent for three of them: no pause of this process lasts so long.
      heartbeatIntervalMs: 10_000,
      ...this.welcomeWith,
    };
    call.write({ message: { $case: 'welcome', value } });
    for (const directive of this.directives) call.write({ message: { $case: 'directive', value: directive } });
  }

  #onResults(call: Results): void {
    if (connectionOf(call) !== this.#proved) this.violations.push('results on a connection without a hello');
    this.#results = call;
    call.on('data', (request: StreamProbeResultsRequest) => this.#onRecord(call, request));
    call.on('end', () => call.end());
    call.on('error', () => {});
  }

  #onRecord(call: Results, { node, spoolId, sequence, payload, mac }: StreamProbeResultsRequest): void {
    if (!macEquals(batchMac(this.#key(node), { node, spoolId, sequence }, payload), mac))
      this.violations.push('bad MAC');
    const last = this.received.at(-1)?.sequence;
    if (last !== undefined && sequence > last + 1n) this.violations.push(`gap between ${last} and ${sequence}`);
    const decoded = UplinkPayload.decode(payload);
    if (this.refusingTestBuilds && decoded.testBuild && decoded.body?.$case !== 'gap') {
      const refused = { code: 'PERMISSION_DENIED', reason: 'TEST_BUILD_REFUSED', message: 'refused' } as const;
      failStream(call, new SentinelError(refused), silentLogger());
      return;
    }
    this.received.push({ sequence, payload: decoded, bytes: Buffer.from(payload) });
    if (!this.acknowledging) return;
    if (sequence > this.committed) this.committed = this.archived = sequence;
    call.write({ committedThrough: this.committed, archivedThrough: this.archived });
  }

  #key(node: string): KeyObject {
    return deriveAgentKey(Buffer.from(this.fleetKey, 'utf8'), node);
  }
}

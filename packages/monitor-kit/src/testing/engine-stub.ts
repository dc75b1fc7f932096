import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import {
  AnomalyServiceService,
  type StreamAnomalyEventsRequest,
  type StreamAnomalyEventsResponse,
} from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { failStream, type GrpcServer, identityOf, startGrpcServer } from '@sentinel/service-kit/grpc-server';
import { silentLogger } from '@sentinel/service-kit/logging';

type Call = ServerDuplexStream<StreamAnomalyEventsRequest, StreamAnomalyEventsResponse>;

export const TEST_TOKEN = 'a service token for tests';

/** An engine's side of AnomalyService: keeps what it gets, commits as told. */
export class EngineStub {
  /** Every record received, repeated ones too, in order. */
  readonly received: StreamAnomalyEventsRequest[] = [];
  readonly callers: string[] = [];
  committed = 0n;
  /** Answers each record at once. */
  acknowledging = true;
  /** What a record is refused with, instead. */
  refusing: (request: StreamAnomalyEventsRequest) => SentinelError | null = () => null;
  #server: GrpcServer | undefined;
  readonly #calls = new Set<Call>();

  get address(): string {
    return this.#server?.address ?? '';
  }

  async start(address = '127.0.0.1:0'): Promise<void> {
    this.#server = await startGrpcServer({
      address,
      addressKey: 'stub',
      tls: null,
      insecure: false,
      tokens: { operator: '', service: TEST_TOKEN },
      maxMessageBytes: 8 * 1024 * 1024,
      log: silentLogger(),
      services: [
        {
          definition: AnomalyServiceService,
          implementation: { streamAnomalyEvents: (call: Call) => this.#onCall(call) },
          roles: { StreamAnomalyEvents: ['monitor', 'service'] },
        },
      ],
    });
  }

  async stop(): Promise<void> {
    for (const call of this.#calls) call.emit('error', { code: status.UNAVAILABLE, details: 'stopped by the test' });
    await this.#server?.stop();
    this.#server = undefined;
  }

  /** Commits what was received in order, and tells it on every stream that is open. */
  commit(): void {
    const received = new Set(this.received.map(({ sequence }) => sequence));
    while (received.has(this.committed + 1n)) this.committed += 1n;
    for (const call of this.#calls) call.write({ committedThrough: this.committed, warnings: [] });
  }

  /** Records by sequence, each once; fails where one sequence came with two contents. */
  distinct(): Map<bigint, StreamAnomalyEventsRequest> {
    const found = new Map<bigint, StreamAnomalyEventsRequest>();
    for (const record of this.received) {
      const known = found.get(record.sequence);
      if (known !== undefined && textOf(known) !== textOf(record))
        throw new Error(`${record.sequence} has two contents`);
      found.set(record.sequence, record);
    }
    return found;
  }

  #onCall(call: Call): void {
    this.#calls.add(call);
    this.callers.push(identityOf(call).role);
    call.on('data', (request: StreamAnomalyEventsRequest) => {
      const refusal = this.refusing(request);
      if (refusal !== null) return failStream(call, refusal, silentLogger());
      if (request.sequence > this.committed + 1n && this.acknowledging) {
        const message = `${request.sequence} follows ${this.committed}`;
        return failStream(call, new SentinelError({ code: 'OUT_OF_RANGE', message }), silentLogger());
      }
      // What is received is a view into a buffer of the transport.
      this.received.push({ ...request, spoolId: Buffer.from(request.spoolId) });
      if (!this.acknowledging) return;
      if (request.sequence > this.committed) this.committed = request.sequence;
      call.write({ committedThrough: this.committed, warnings: [] });
    });
    call.on('end', () => call.end());
    for (const event of ['close', 'error', 'cancelled']) call.on(event, () => this.#calls.delete(call));
  }
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
}

import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import {
  AnomalyEvent,
  AnomalyServiceClient,
  AnomalySeverity,
  AnomalyType,
  StreamAnomalyEventsRequest,
  type StreamAnomalyEventsResponse,
} from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type ClientConnection, createClient } from '@sentinel/service-kit/grpc-client';
import { SERVICE_TOKEN } from './engine.js';

/** How long a test waits for what should come at once: far beyond what a machine that stands still for seconds adds. */
const PATIENCE_MS = 60_000;
export const [RIGHT, WRONG] = [Buffer.from('0badcafe0badcafe', 'hex'), Buffer.from('ffffffff00000000', 'hex')];

export interface MonitorOptions {
  readonly node?: string;
  /** null = plaintext. */
  readonly tls?: ClientConnection['tls'];
  /** That of the installation by default. */
  readonly token?: string;
  readonly testBuild?: boolean;
  /** Continues the spool of another monitor: what it has, under its name. */
  readonly spoolId?: Buffer;
}

/** A monitor of a test: keeps its spool in memory, and says whatever it is told to. */
export class TestMonitor {
  readonly node: string;
  readonly spoolId: Buffer;
  readonly records: StreamAnomalyEventsRequest[] = [];
  readonly warnings: string[] = [];
  committedThrough = 0n;
  /** Answers that came. */
  answers = 0;
  error: SentinelError | null = null;
  readonly #options: MonitorOptions;
  readonly #events = new EventEmitter();
  #address: string;
  #client: AnomalyServiceClient | null = null;
  #stream: ClientDuplexStream<StreamAnomalyEventsRequest, StreamAnomalyEventsResponse> | null = null;

  constructor(address: string, options: MonitorOptions = {}) {
    this.#address = address;
    this.#options = options;
    this.node = options.node ?? 'node-1';
    this.spoolId = options.spoolId ?? randomBytes(16);
  }

  /** Adds a record to the spool. @returns its sequence */
  record(events: readonly Partial<AnomalyEvent>[], fields: Partial<StreamAnomalyEventsRequest> = {}): bigint {
    const sequence = BigInt(this.records.length + 1);
    const nowUs = BigInt(Date.now()) * 1000n;
    const { testBuild = false } = this.#options;
    this.records.push(
      StreamAnomalyEventsRequest.fromPartial({
        ...{ node: this.node, spoolId: this.spoolId, sequence, createdUs: nowUs, buildId: 'monitor-1', testBuild },
        events: events.map((event) => AnomalyEvent.fromPartial({ timeUs: nowUs, ...event } as AnomalyEvent)),
        ...fields,
      }),
    );
    return sequence;
  }

  /** Sends records of the spool, in this order, over the open stream or a new one. */
  send(...sequences: bigint[]): void {
    const stream = this.#stream ?? this.#open();
    for (const sequence of sequences) {
      const record = this.records[Number(sequence) - 1];
      if (record !== undefined) stream.write(record);
    }
  }

  /** Sends what is not committed over a new connection. */
  sendAgain(address = this.#address): void {
    this.close();
    this.#address = address;
    this.send(...this.records.map(({ sequence }) => sequence).filter((sequence) => sequence > this.committedThrough));
  }

  committed(through: bigint): Promise<void> {
    return this.until(() => this.committedThrough >= through);
  }

  failed(): Promise<SentinelError> {
    return this.until(() => this.error !== null).then(() => this.error as SentinelError);
  }

  async until(condition: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (!condition()) {
      await once(this.#events, 'change', { signal }).catch(() => {
        throw new Error(`waited in vain; committed ${this.committedThrough}, error ${this.error?.sentence}`);
      });
    }
  }

  close(): void {
    this.#stream?.cancel();
    this.#client?.close();
    this.#stream = null;
    this.#client = null;
    this.error = null;
  }

  #open(): ClientDuplexStream<StreamAnomalyEventsRequest, StreamAnomalyEventsResponse> {
    const { tls = null, token = tls === null ? SERVICE_TOKEN : '' } = this.#options;
    this.#client = createClient(AnomalyServiceClient, { address: this.#address, tls, token });
    const stream = this.#client.streamAnomalyEvents();
    stream.on('data', ({ committedThrough, warnings }: StreamAnomalyEventsResponse) => {
      this.committedThrough = committedThrough;
      this.warnings.push(...warnings);
      this.answers += 1;
      this.#events.emit('change');
    });
    stream.on('error', (error: Error) => {
      const known = SentinelError.from(error);
      if (stream !== this.#stream || known.code === 'CANCELLED') return;
      this.error ??= known;
      this.#events.emit('change');
    });
    this.#stream = stream;
    return stream;
  }
}

/** Something soft about one device. */
export function softEvent(gpu: string, fields: Partial<AnomalyEvent> = {}): Partial<AnomalyEvent> {
  return {
    ...{ type: AnomalyType.GRADIENT_NORM_SPIKE, severity: AnomalySeverity.WARNING, source: 'training-monitor/test' },
    ...{ gpus: [gpu], value: 9.5, limit: 4, detail: 'far from the others' },
    ...fields,
  };
}

/** A round of replicas that the first device lost to the others; node and rank are told from the place in the list. */
export function lostRound(gpus: readonly string[], step: bigint, asked = false): Partial<AnomalyEvent> {
  const answers = gpus.map((gpu, rank) => ({
    ...{ node: '', gpu, rank, again: false, group: 0 },
    digest: rank === 0 ? WRONG : RIGHT,
  }));
  return {
    ...{ type: AnomalyType.REPLICA_MISMATCH, severity: AnomalySeverity.CRITICAL, source: 'training-monitor/replicas' },
    gpus: gpus.slice(0, 1),
    job: { id: 'job-1', gpus: gpus.length, rank: 0, step, framework: 'pytorch 2.13.0 ddp' },
    comparison: { answers, agreedBefore: 10n, asked, stateEqual: false },
  };
}

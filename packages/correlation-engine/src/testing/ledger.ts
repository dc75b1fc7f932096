import { hash } from 'node:crypto';
import {
  AuditEntry,
  AuditEvent,
  AuditServiceService,
  AuditType,
  type GetCheckpointResponse,
  type GetConsistencyProofRequest,
  type GetConsistencyProofResponse,
  type IngestEventsRequest,
  type IngestEventsResponse,
  type QueryAuditTrailResponse,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type GrpcServer, startGrpcServer, unary } from '@sentinel/service-kit/grpc-server';
import { silentLogger } from '@sentinel/service-kit/logging';
import { consistencyProof, merkleRoot } from '@sentinel/service-kit/testing/merkle';
import { SERVICE_TOKEN } from './engine.js';

/**
 * A ledger as the engine sees one: it keeps each event once, numbers them, and takes none that is new under a number that its producer
 * has passed. Everything else of a ledger is the ledger's.
 */
export class TestLedger {
  readonly entries: AuditEvent[] = [];
  readonly requests: IngestEventsRequest[] = [];
  /** Answers are lost on their way for so many requests. */
  loseAnswers = 0;
  /** What the checkpoint claims, when it is to lie. */
  claimedSize: number | null = null;
  /** The ledger shows another log than the one it showed before. */
  forked = false;
  address: string;
  #server: GrpcServer | null = null;
  /** Newest [epoch, number] of each producer. */
  readonly #marks = new Map<string, readonly [bigint, bigint]>();

  constructor(address = '127.0.0.1:0') {
    this.address = address;
  }

  async start(): Promise<this> {
    const away = unary(
      () => Promise.reject(new SentinelError({ code: 'UNIMPLEMENTED', message: 'not in this test' })),
      silentLogger(),
    );
    const methods = Object.keys(AuditServiceService);
    const names = Object.values(AuditServiceService).map(({ path }) => path.split('/').at(-1) ?? '');
    this.#server = await startGrpcServer({
      address: this.address,
      addressKey: 'test',
      tls: null,
      insecure: false,
      tokens: { operator: '', service: SERVICE_TOKEN },
      services: [
        {
          definition: AuditServiceService,
          implementation: {
            ...Object.fromEntries(methods.map((method) => [method, away])),
            ingestEvents: unary((request: IngestEventsRequest) => this.#ingest(request), silentLogger()),
            getCheckpoint: unary(() => Promise.resolve(this.#standing()), silentLogger()),
            queryAuditTrail: unary(() => Promise.resolve(this.#rollbacks()), silentLogger()),
            getConsistencyProof: unary((request: GetConsistencyProofRequest) => this.#prove(request), silentLogger()),
          },
          roles: Object.fromEntries(names.map((name) => [name, ['service'] as const])),
        },
      ],
      maxMessageBytes: 4 * 1024 * 1024,
      log: silentLogger(),
    });
    this.address = this.#server.address;
    return this;
  }

  /** Goes back to `size` entries, which its operator accepts: an entry of its own says so. */
  rollBack(size: number): void {
    const lost = this.entries.length;
    this.entries.length = size;
    this.#marks.clear();
    const detail = Buffer.from(JSON.stringify({ event: 'rollback_accepted', lost_size: lost, size }));
    const [eventId, gpu, eventUs] = [Buffer.alloc(16, size), '', BigInt(Date.now() * 1000)];
    this.entries.push({ eventId, type: AuditType.SYSTEM, gpu, eventUs, detail, injected: false });
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  /** `event` of every entry, in order. */
  get events(): string[] {
    return this.entries.map(
      (entry) => (JSON.parse(Buffer.from(entry.detail).toString('utf8')) as { event: string }).event,
    );
  }

  #ingest(request: IngestEventsRequest): IngestEventsResponse {
    this.requests.push(request);
    const seqs = request.events.map((event, i) => BigInt(this.#place(event, request, BigInt(i))));
    if (this.loseAnswers > 0) {
      this.loseAnswers -= 1;
      throw new SentinelError({ code: 'UNAVAILABLE', message: 'the answer was lost' });
    }
    return { seqs, checkpoint: this.#checkpoint(this.claimedSize ?? this.entries.length) };
  }

  #standing(): GetCheckpointResponse {
    return { checkpoint: this.#checkpoint(this.claimedSize ?? this.entries.length), verifierKey: '', rotations: [] };
  }

  #rollbacks(): QueryAuditTrailResponse {
    const own = this.entries.filter(
      ({ type, detail }) => type === AuditType.SYSTEM && Buffer.from(detail).includes('rollback_acc'),
    );
    const entries = own.map((entry) => ({
      ...AuditEntry.fromPartial({ ...entry, producer: 'ledger', receivedUs: entry.eventUs }),
    }));
    return { entries, nextPageToken: '', checkpoint: '', prunedBefore: 0n };
  }

  #prove({ oldSize, newSize }: GetConsistencyProofRequest): Promise<GetConsistencyProofResponse> {
    const proof = consistencyProof(this.#leaves(Number(newSize)), Number(oldSize));
    const hashes = proof.map((each) => Buffer.from(each));
    return Promise.resolve({ hashes, newSize, checkpoint: this.#checkpoint(Number(newSize)) });
  }

  #checkpoint(size: number): string {
    const root = Buffer.from(merkleRoot(this.#leaves(size))).toString('base64');
    return `sentinel/test\n${size}\n${root}\n\n— test x\n`;
  }

  #leaves(size: number): Uint8Array[] {
    const prefix = this.forked ? 'another' : '';
    return this.entries.slice(0, size).map((event) => {
      const bytes = Buffer.from(AuditEvent.encode(event).finish());
      return hash('sha256', Buffer.concat([Buffer.from(prefix), bytes]), 'buffer');
    });
  }

  #place(event: AuditEvent, { producer, producerEpoch, firstSequence }: IngestEventsRequest, place: bigint): number {
    const id = Buffer.from(event.eventId).toString('hex');
    const known = this.entries.findIndex((entry) => Buffer.from(entry.eventId).toString('hex') === id);
    if (known >= 0) return known;
    const number = firstSequence + place;
    const [epoch, last] = this.#marks.get(producer) ?? [0n, 0n];
    if (producerEpoch < epoch || (producerEpoch === epoch && number <= last))
      throw new SentinelError({ code: 'ALREADY_EXISTS', message: `${producer} is past ${producerEpoch}/${number}` });
    this.#marks.set(producer, [producerEpoch, number]);
    return this.entries.push({ ...event, eventId: Buffer.from(event.eventId), detail: Buffer.from(event.detail) }) - 1;
  }
}

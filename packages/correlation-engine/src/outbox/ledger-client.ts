import {
  type AuditEntry,
  AuditServiceClient,
  AuditType,
  type GetCheckpointRequest,
  type GetCheckpointResponse,
  type GetConsistencyProofRequest,
  type GetConsistencyProofResponse,
  type IngestEventsRequest,
  type IngestEventsResponse,
  type QueryAuditTrailRequest,
  type QueryAuditTrailResponse,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import { type ClientConnection, callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import type { LedgerRollback } from './relay.js';

const DEADLINE_MS = 10_000;
const PAGE_ENTRIES = 1000;
/** Entries of the ledger itself, most of them seals, that are looked at for its rollback. */
const MAX_PAGES = 20;

/** The engine's way to the audit ledger. A failed call takes a new connection: a renewed certificate is then used. */
export class LedgerClient {
  readonly #connection: () => ClientConnection;
  #client: AuditServiceClient | null = null;

  constructor(connection: () => ClientConnection) {
    this.#connection = connection;
  }

  /** @throws SentinelError with the ledger's ErrorDetail */
  readonly ingest = async (request: IngestEventsRequest): Promise<IngestEventsResponse> =>
    await this.#call((client) =>
      callUnary<IngestEventsRequest, IngestEventsResponse>(client, client.ingestEvents, request, DEADLINE_MS),
    );

  /** What shows that the log of `newSize` entries begins with that of `oldSize`. @throws SentinelError with the ledger's ErrorDetail */
  readonly consistencyProof = async (oldSize: number, newSize: number): Promise<readonly Uint8Array[]> => {
    const request = { oldSize: BigInt(oldSize), newSize: BigInt(newSize) };
    const { hashes } = await this.#call((client) =>
      callUnary<GetConsistencyProofRequest, GetConsistencyProofResponse>(
        client,
        client.getConsistencyProof,
        request,
        DEADLINE_MS,
      ),
    );
    return hashes;
  };

  readonly checkpoint = async (): Promise<string> => {
    const ask = (client: AuditServiceClient) =>
      callUnary<GetCheckpointRequest, GetCheckpointResponse>(client, client.getCheckpoint, {}, DEADLINE_MS);
    return (await this.#call(ask)).checkpoint;
  };

  /** Looks at the newest entries of the ledger itself, as far back as `sinceUs` or MAX_PAGES lead. */
  readonly rollbacks = async (sinceUs: number): Promise<readonly LedgerRollback[]> => {
    const found: LedgerRollback[] = [];
    let pageToken = '';
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const { entries, nextPageToken } = await this.#systemEntries(pageToken);
      const since = entries.filter(({ receivedUs }) => Number(receivedUs) >= sinceUs);
      found.push(...since.flatMap(rollbackIn));
      if (nextPageToken === '' || since.length < entries.length) break;
      pageToken = nextPageToken;
    }
    return found;
  };

  async #systemEntries(pageToken: string): Promise<QueryAuditTrailResponse> {
    const request: QueryAuditTrailRequest = {
      gpu: '',
      type: AuditType.SYSTEM,
      startUs: 0n,
      endUs: 0n,
      limit: PAGE_ENTRIES,
      pageToken,
      oldestFirst: false,
    };
    return await this.#call((client) =>
      callUnary<QueryAuditTrailRequest, QueryAuditTrailResponse>(client, client.queryAuditTrail, request, DEADLINE_MS),
    );
  }

  async #call<T>(ask: (client: AuditServiceClient) => Promise<T>): Promise<T> {
    const client = this.#client ?? createClient(AuditServiceClient, this.#connection());
    this.#client = client;
    try {
      return await ask(client);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#client?.close();
    this.#client = null;
  }
}

/** None for anything but the ledger's own word. */
function rollbackIn({ producer, detail, receivedUs }: AuditEntry): LedgerRollback[] {
  if (producer !== 'ledger' || detail.length === 0) return [];
  const { event, size } = JSON.parse(Buffer.from(detail).toString('utf8')) as { event?: unknown; size?: unknown };
  return event === 'rollback_accepted' && typeof size === 'number' ? [{ size, receivedUs: Number(receivedUs) }] : [];
}

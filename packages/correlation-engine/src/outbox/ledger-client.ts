import {
  AuditServiceClient,
  type IngestEventsRequest,
  type IngestEventsResponse,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import { type ClientConnection, callUnary, createClient } from '@sentinel/service-kit/grpc-client';

const DEADLINE_MS = 10_000;

/** The engine's way to the audit ledger. A failed call takes a new connection: a renewed certificate is then used. */
export class LedgerClient {
  readonly #connection: () => ClientConnection;
  #client: AuditServiceClient | null = null;

  constructor(connection: () => ClientConnection) {
    this.#connection = connection;
  }

  /** @throws SentinelError with the ledger's ErrorDetail */
  readonly ingest = async (request: IngestEventsRequest): Promise<IngestEventsResponse> => {
    const client = this.#client ?? createClient(AuditServiceClient, this.#connection());
    this.#client = client;
    try {
      return await callUnary<IngestEventsRequest, IngestEventsResponse>(
        client,
        client.ingestEvents,
        request,
        DEADLINE_MS,
      );
    } catch (error) {
      this.close();
      throw error;
    }
  };

  close(): void {
    this.#client?.close();
    this.#client = null;
  }
}

import {
  AuditServiceClient,
  type GetConsistencyProofRequest,
  type GetConsistencyProofResponse,
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

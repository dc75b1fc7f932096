/** What was acknowledged against what a log holds, as anybody can read it over gRPC. */
import {
  type AuditServiceClient,
  AuditType,
  type IngestEventsRequest,
  type IngestEventsResponse,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import { callUnary } from '@sentinel/service-kit/grpc-client';

const READ_MS = 120_000;

export class TrailCheck {
  /** Acknowledged events that the log has not, or not where it said. */
  lost = 0;
  /** Entries whose event the log holds already. */
  doubled = 0;
  entries = 0;
  readonly #seqs = new Map<string, number>();

  get acked(): number {
    return this.#seqs.size;
  }

  readonly noteAck = ({ events }: IngestEventsRequest, { seqs }: IngestEventsResponse): void => {
    events.forEach(({ eventId }, i) => {
      this.#seqs.set(keyOf(eventId), Number(seqs[i]));
    });
  };

  /** Reads the whole log. */
  async compare(client: AuditServiceClient): Promise<void> {
    const seen = new Set<string>();
    const missing = new Map(this.#seqs);
    for await (const { seq, eventId } of trail(client)) {
      const key = keyOf(eventId);
      if (seen.has(key)) this.doubled += 1;
      seen.add(key);
      if (missing.get(key) === Number(seq)) missing.delete(key);
      this.entries += 1;
    }
    this.lost = missing.size;
  }
}

async function* trail(client: AuditServiceClient) {
  let pageToken = '';
  do {
    const request = {
      gpu: '',
      type: AuditType.UNSPECIFIED,
      startUs: 0n,
      endUs: 0n,
      limit: 1000,
      pageToken,
      oldestFirst: true,
    };
    const page = await callUnary(client, client.queryAuditTrail, request, READ_MS);
    yield* page.entries;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id).toString('latin1');
}

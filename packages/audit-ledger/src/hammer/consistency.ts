/** Whether the log only ever grows: each checkpoint that acknowledgements carry extends the one looked at before. */
import type { AuditServiceClient } from '@sentinel/contracts/sentinel/v1/audit.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary } from '@sentinel/service-kit/grpc-client';
import type { Checkpoint } from '../note/checkpoint.js';
import { verifyConsistency } from '../tree/verify.js';
import type { AckCheck } from './ack-check.js';

export class ConsistencyCheck {
  /** Extensions that were proved. */
  proved = 0;
  readonly #client: AuditServiceClient;
  readonly #check: AckCheck;
  #known: Checkpoint | undefined;

  constructor(client: AuditServiceClient, check: AckCheck) {
    this.#client = client;
    this.#check = check;
  }

  /** Proves the newest checkpoint against the last one. A ledger that is away is asked again the next time. */
  async look(): Promise<void> {
    const [known, newest] = [this.#known, this.#check.newest];
    this.#known ??= newest;
    if (known === undefined || newest === undefined || newest.size === known.size) return;
    const hashes = await this.#proof(known.size, newest.size);
    if (hashes === undefined) return;
    if (verifyConsistency(known, newest, hashes)) this.proved += 1;
    else this.#check.report(`the checkpoint of ${newest.size} entries does not extend that of ${known.size}`);
    this.#known = newest;
  }

  async #proof(oldSize: number, newSize: number): Promise<readonly Uint8Array[] | undefined> {
    try {
      const request = { oldSize: BigInt(oldSize), newSize: BigInt(newSize) };
      return (await callUnary(this.#client, this.#client.getConsistencyProof, request)).hashes;
    } catch (error) {
      const { code, sentence } = SentinelError.from(error);
      if (code !== 'UNAVAILABLE' && code !== 'DEADLINE_EXCEEDED')
        this.#check.report(`no proof of consistency: ${sentence}`);
      return undefined;
    }
  }
}

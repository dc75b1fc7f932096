/** What a reader answers to whoever sends it an entry. */
import { SentinelError } from '@sentinel/service-kit/errors';
import { failStream, unary } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import type { IngestMethods } from '../rpc/service.js';

/** `writer` is said to the sender: which writer it is and where. */
export function refusingIngest(writer: string, log: Logger): IngestMethods {
  const refusal = (): SentinelError =>
    new SentinelError({
      code: 'FAILED_PRECONDITION',
      message: `this is a reader of the log and takes no entries; nothing of this request is in the log`,
      hint: `Send it to ${writer}.`,
    });
  return {
    ingestEvents: unary(() => Promise.reject(refusal()), log),
    ingestStream: (call) => failStream(call, refusal(), log),
  };
}

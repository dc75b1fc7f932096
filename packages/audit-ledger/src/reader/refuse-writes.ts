/** What a reader answers to whoever wants to change the log. */
import { SentinelError } from '@sentinel/service-kit/errors';
import { failStream, unary } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import type { WriteMethods } from '../rpc/service.js';

/** `writer` is said to the sender: which writer it is and where. */
export function refusingWrites(writer: string, log: Logger): WriteMethods {
  const refusal = (): SentinelError =>
    new SentinelError({
      code: 'FAILED_PRECONDITION',
      message: `this is a reader of the log and changes nothing of it; nothing of this request is in the log`,
      hint: `Send it to ${writer}.`,
    });
  const refused = () => Promise.reject(refusal());
  return {
    ingestEvents: unary(refused, log),
    planPruning: unary(refused, log),
    pruneEntries: unary(refused, log),
    addHold: unary(refused, log),
    removeHold: unary(refused, log),
    listHolds: unary(refused, log),
    rotateKey: unary(refused, log),
    planRepair: unary(refused, log),
    repairEntries: unary(refused, log),
    ingestStream: (call) => failStream(call, refusal(), log),
  };
}

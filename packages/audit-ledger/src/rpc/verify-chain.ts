import type { VerifyChainRequest, VerifyChainResponse } from '@sentinel/contracts/sentinel/v1/audit.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { PrunedRange } from '../verify/pruned-check.js';
import { SourceError } from '../verify/source.js';
import type { RpcContext } from './context.js';

/** Re-reads entries from the disk and recomputes every hash up to the signed root. */
export async function verifyChain(
  { view, verify }: RpcContext,
  { depth }: VerifyChainRequest,
): Promise<VerifyChainResponse> {
  const { note } = view().checkpoint;
  try {
    const report = await verify(Number(depth));
    const findings = report.findings.map(({ seq, what }) => ({ seq: BigInt(seq), what }));
    return {
      ok: report.ok,
      firstSeq: BigInt(report.firstSeq),
      entries: BigInt(report.entries),
      findings,
      checkpoint: note,
      details: BigInt(report.details),
      prunedDetails: rangeToWire(report.prunedDetails),
      prunedLeaves: rangeToWire(report.prunedLeaves),
    };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    throw new SentinelError({
      code: 'UNAVAILABLE',
      message: `the log could not be read: ${error.message}`,
      cause: error,
    });
  }
}

function rangeToWire(range: PrunedRange | undefined) {
  return range && { firstSeq: BigInt(range.first), lastSeq: BigInt(range.last), count: BigInt(range.count) };
}

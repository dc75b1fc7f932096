import { RunFlag } from '../model/terms.js';
import type { Mismatch } from '../record.js';
import type { GateAnswer } from './outcome.js';

/**
 * Gate 1: can this mismatch be believed at all? The batch is authentic (the shell refuses any other); golden and operand
 * buffers kept their checksum, both golden computations agreed, the thread stayed on its SM, no loud fault (which reports
 * itself) fell into the run, and the mismatch names the golden of its run and differs from it.
 */
export function integrityGate(mismatch: Mismatch, flags: number, goldenDigest: number): GateAnswer {
  const intact = (flags & RunFlag.GOLDEN_INTACT) !== 0;
  const agreed = (flags & RunFlag.GOLDEN_AGREED) !== 0;
  const loud = (flags & RunFlag.LOUD_FAULT) !== 0;
  const sameGolden = mismatch.expectedDigest === goldenDigest;
  const differs = mismatch.actualDigest !== mismatch.expectedDigest;
  const inputs = {
    batch: 'authentic',
    golden_buffers: intact ? 'intact' : 'changed',
    golden_computations: agreed ? 'agree' : 'disagree',
    sm: mismatch.smStable ? 'the same throughout' : 'changed during the run',
    loud_fault: loud ? 'yes' : 'no',
    golden_digest: sameGolden ? 'that of the run' : 'not that of the run',
    wrong_digest: differs ? 'differs from the golden' : 'equals the golden',
  };
  const hold = (reason: string): GateAnswer => ({ verdict: 'HOLD', reason, inputs });
  if (!intact)
    return hold('The golden or the operands changed in memory during the run, so the comparison proves nothing.');
  if (!agreed) return hold('The two computations of the golden disagreed, so the expected value is in doubt.');
  if (loud)
    return hold('A loud fault (Xid, machine check or uncorrectable ECC) fell into the run and is reported as such.');
  if (!mismatch.smStable) return hold('The thread moved to another SM during the run, so no SM can be named.');
  if (!sameGolden) return hold('The mismatch was compared with another golden than that of its run.');
  if (!differs) return hold('The reported wrong result has the digest of the right one.');
  return {
    verdict: 'PASS',
    reason: 'The batch is authentic, the golden intact and agreed, the SM stable, and no loud fault fell into the run.',
    inputs,
  };
}

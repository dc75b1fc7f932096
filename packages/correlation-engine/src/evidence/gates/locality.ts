import type { GateSettings } from '../model/settings.js';
import type { Mismatch } from '../record.js';
import type { GateAnswer } from './outcome.js';

/**
 * What locality makes of a mismatch: the unit alone is accused; or the device as a whole (other SMs failed as well, in
 * other ways); or nothing can be located (one SM); or it is software (the same wrong digest on several SMs).
 */
export type Locality = 'unit' | 'device' | 'unlocated' | 'software';

export interface LocalityAnswer extends GateAnswer {
  locality: Locality;
}

/** SMs that failed in the same run, and those of them with the same wrong digest; this one included. */
export interface SameRun {
  failed: number;
  sameDigest: number;
}

/** Gate 2: how did the other SMs fare that ran the same seed? What the batch itself shows of them outweighs the agent's count. */
export function localityGate(mismatch: Mismatch, settings: GateSettings, same: SameRun): LocalityAnswer {
  const sameDigest = Math.max(mismatch.siblingsSameDigest + 1, same.sameDigest);
  const siblings = Math.max(mismatch.siblingsRun, same.failed - 1);
  const passed = Math.min(mismatch.siblingsPassed, siblings - Math.max(sameDigest, same.failed) + 1);
  const smsRun = siblings + 1;
  const softwareFrom = Math.max(2, Math.min(settings.locality_same_digest, smsRun));
  const passNeeded = Math.max(1, Math.ceil(siblings * settings.locality_passing_fraction));
  const inputs = {
    sms_that_ran_the_seed: String(smsRun),
    siblings_passed: String(passed),
    siblings_needed_to_accuse: String(passNeeded),
    sms_with_this_wrong_digest: String(sameDigest),
    same_digest_is_software_from: String(softwareFrom),
  };
  if (smsRun === 1) {
    const reason =
      'No other SM ran this seed, so the fault cannot be located: it makes SUSPECT and a burst, and bars QUARANTINE.';
    return { locality: 'unlocated', verdict: 'NOT_EVALUABLE', reason, inputs };
  }
  if (sameDigest >= softwareFrom) {
    const reason = `${sameDigest} of ${smsRun} SMs gave the same wrong digest: that is software, not hardware.`;
    return { locality: 'software', verdict: 'HOLD', reason, inputs };
  }
  if (passed >= passNeeded) {
    const reason = `${passed} of ${siblings} other SMs passed the same seed: SM ${mismatch.sm} alone is accused.`;
    return { locality: 'unit', verdict: 'PASS', reason, inputs };
  }
  const shared =
    sameDigest === 1
      ? 'no other gave this wrong digest'
      : `${sameDigest} SMs gave this wrong digest, fewer than the ${softwareFrom} that mean software`;
  const reason = `Only ${passed} of ${siblings} other SMs passed the same seed, and ${shared}: the device is accused, no single SM.`;
  return { locality: 'device', verdict: 'PASS', reason, inputs };
}

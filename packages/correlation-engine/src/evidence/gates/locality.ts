import type { GateSettings } from '../model.js';
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

/** Gate 2: how did the other SMs fare that ran the same seed? */
export function localityGate(mismatch: Mismatch, settings: GateSettings): LocalityAnswer {
  const smsRun = mismatch.siblingsRun + 1;
  const sameDigest = mismatch.siblingsSameDigest + 1;
  const softwareFrom = Math.max(2, Math.min(settings.locality_same_digest, smsRun));
  const passNeeded = Math.max(1, Math.ceil(mismatch.siblingsRun * settings.locality_passing_fraction));
  const inputs = {
    sms_that_ran_the_seed: String(smsRun),
    siblings_passed: String(mismatch.siblingsPassed),
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
  if (mismatch.siblingsPassed >= passNeeded) {
    const reason = `${mismatch.siblingsPassed} of ${mismatch.siblingsRun} other SMs passed the same seed: SM ${mismatch.sm} alone is accused.`;
    return { locality: 'unit', verdict: 'PASS', reason, inputs };
  }
  const reason = `Only ${mismatch.siblingsPassed} of ${mismatch.siblingsRun} other SMs passed the same seed, and the wrong digests differ: the device is accused, no single SM.`;
  return { locality: 'device', verdict: 'PASS', reason, inputs };
}

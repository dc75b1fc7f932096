import { ProbeResult, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import { executed, type ProbeRun, type SiblingCounts } from '../execution/run.js';

export function failingSms(run: ProbeRun): number[] {
  return run.results.filter(({ result }) => result === ProbeResult.FAIL).map(({ sm }) => sm);
}

/** SMs of the device that have not run this seed yet: at most as many as bring the siblings of one failing SM to `siblings`. */
export function siblingsToRun(run: ProbeRun, deviceSms: readonly number[], siblings: number): number[] {
  const ran = new Set(run.results.filter(executed).map(({ sm }) => sm));
  const planned = new Set(run.results.map(({ sm }) => sm));
  const missing = siblings - (ran.size - 1);
  return deviceSms.filter((sm) => !planned.has(sm)).slice(0, Math.max(0, missing));
}

/** How the other SMs answered this seed; the SM's own reruns are not siblings. */
export function siblingCounts(sm: number, wrongDigest: number, sameSeed: readonly ProbeRun[]): SiblingCounts {
  const others = sameSeed
    .filter((run) => run.kind !== RunKind.RERUN)
    .flatMap((run) => run.results)
    .filter((result) => result.sm !== sm && executed(result));
  return {
    run: others.length,
    passed: others.filter(({ result }) => result === ProbeResult.PASS).length,
    sameDigest: others.filter(
      ({ result, mismatch }) => result === ProbeResult.FAIL && mismatch?.actualDigest === wrongDigest,
    ).length,
  };
}

import { deviceExposure } from '../evidence/exposure.js';
import { JOB } from '../evidence/families.js';
import { type GateAnswer, gateOutcome } from '../evidence/gates/outcome.js';
import { noteFailingNode } from '../evidence/incidents.js';
import type { ComparisonRecord } from '../evidence/job-record.js';
import { type LostRound, noteLost } from '../evidence/jobs/rounds.js';
import type { JobVerdict, Outvoted } from '../evidence/jobs/vote.js';
import type { DeviceState } from '../evidence/model/device.js';
import { RunKind } from '../evidence/model/terms.js';
import type { Observed } from '../evidence/observe.js';
import { UNKNOWN_BIN } from '../evidence/posterior/bins.js';
import type { Step } from '../evidence/step.js';
import { totalsOf } from '../evidence/unit-totals.js';
import { noteSignal } from '../patterns/signals.js';
import { agreedInJobs } from './agreed-in-jobs.js';
import { suspect } from './suspect.js';

/** A device of the monitor's node that lost a round, of which it was not accused before. */
export interface Loss {
  readonly record: ComparisonRecord;
  readonly verdict: JobVerdict;
  readonly outvoted: Outvoted;
  readonly round: LostRound;
}

/** The device as a whole gets one hard failure: a job says nothing of its SMs. */
export function accuseOutvoted(step: Step, device: DeviceState, loss: Loss): void {
  const { record, round } = loss;
  noteSignal(device, 'job', round.timeUs);
  const observed = observeLoss(step, device, loss);
  noteLost(step, device, round);
  // Once a device is out of service its gates stay those of that decision.
  if (device.state === 'HEALTHY' || device.state === 'SUSPECT')
    device.gates = [...observed.gates, ...device.gates.slice(2)];
  step.effects.observations.push(observed.effect);
  device.injectedEvidence ||= record.testBuild;
  noteFailingNode(step, device, observed.effect);
  agreedInJobs(device, record.agreedBefore);
  const sinceUs = Math.min(deviceExposure(step.draft, device.id)?.firstRunUs ?? round.timeUs, round.timeUs);
  const circumstances = { bin: UNKNOWN_BIN, ranBefore: record.agreedBefore, sinceUs };
  // The build that failed is the agent's: another build of a monitor changes nothing about the device.
  suspect(step, device, {
    observed,
    circumstances,
    buildId: device.buildId,
    why: whyOf(record),
  });
}

function whyOf({ type, job, rank, step }: ComparisonRecord): string {
  const place = rank === undefined ? '' : `, rank ${rank}`;
  return `two other devices or more outvoted (${type}, job ${job}${place}, step ${step ?? 0})`;
}

function observeLoss(step: Step, device: DeviceState, { record, verdict, outvoted, round }: Loss): Observed {
  const { nowUs, commitSeq } = step.ctx;
  const source = step.source;
  const others = verdict.devices - 1;
  return {
    effect: {
      deviceId: device.id,
      node: record.node,
      ...(source.kind === 'uplink'
        ? { spoolId: source.spoolId, sequence: source.sequence }
        : { spoolId: '', sequence: commitSeq }),
      row: step.effects.observations.length,
      commitSeq,
      timeUs: round.timeUs,
      family: JOB,
      sm: 0,
      kind: RunKind.JOB,
      epoch: 0,
      index: 0,
      lane: 0,
      iteration: 0,
      operands: [],
      expected: wordsOf(verdict.digest),
      actual: wordsOf(outvoted.digest),
      expectedDigest: wordsOf(verdict.digest)[0] ?? 0,
      actualDigest: wordsOf(outvoted.digest)[0] ?? 0,
      mismatchCount: 1,
      siblingsRun: others,
      siblingsPassed: verdict.agreeing,
      siblingsSameDigest: verdict.outvoted.filter(({ gpu, digest }) => gpu !== device.id && digest === outvoted.digest)
        .length,
      smStable: true,
      warp: undefined,
      subPartition: undefined,
      withinIterations: undefined,
      address: undefined,
      counted: true,
      answer: record.asked && totalsOf(device.units).counted > 0,
      heldBy: null,
      injected: record.testBuild,
    },
    believed: true,
    suspicious: true,
    accusesUnit: true,
    ofWholeDevice: true,
    gates: [
      gateOutcome('integrity', integrityOf(record), nowUs),
      gateOutcome('locality', localityOf(device, record, verdict), nowUs),
    ],
  };
}

function integrityOf({ node, source, asked }: ComparisonRecord): GateAnswer {
  const inputs = { monitor: source, node, asked: asked ? 'yes' : 'no', compared_with: 'other devices of the job' };
  const reason = 'The monitor of its own node reported it, and the engine counted the answers itself.';
  return { verdict: 'PASS', reason, inputs };
}

function localityOf({ id }: DeviceState, { type, job, rank, step }: ComparisonRecord, verdict: JobVerdict): GateAnswer {
  const { devices, agreeing, digest } = verdict;
  const reason = `${agreeing} of ${devices} devices of a job had the same bits, and ${id} had others: it is accused as a whole.`;
  return {
    verdict: 'PASS',
    reason,
    inputs: {
      ...{ comparison: type, job, rank: String(rank ?? ''), step: String(step ?? '') },
      ...{ devices_compared: String(devices), devices_that_agree: String(agreeing), agreed_digest: digest },
      devices_outvoted: String(verdict.outvoted.length),
    },
  };
}

/** A digest as 32-bit words, big-endian; what is left of it fills a last one. */
function wordsOf(digest: string): number[] {
  return (digest.match(/.{1,8}/g) ?? []).map((word) => Number.parseInt(word, 16));
}

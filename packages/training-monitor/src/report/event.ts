import {
  type AnomalyEvent,
  AnomalySeverity,
  AnomalyType,
  type ComparedAnswer,
} from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { eventTime, MAX_ANSWERS, MAX_GPUS, shortened } from '@sentinel/monitor-kit/report/event-parts';
import type { Compared, Finding } from '../analysers/finding.js';
import { isLocal, type Sender } from '../grouping/record.js';
import type { Devices } from './devices.js';

/** Types that the engine takes only as a comparison of devices. */
const COMPARISONS: ReadonlySet<Finding['type']> = new Set(['REPLICA_MISMATCH', 'REPLAY_MISMATCH']);

/**
 * A finding as the engine takes it. Null where it is of other nodes alone, whose analysers tell it, or where it speaks for a device that
 * is not known.
 */
export function eventOf(job: Sender, finding: Finding, devices: Devices, nowUs: bigint): AnomalyEvent | null {
  const { ranks, step } = finding;
  const accused = ranks.filter((each) => isLocal(job, each));
  const [rank] = accused;
  if (rank === undefined && ranks.length > 0) return null;
  const gpus = devices.localDevices(job, ranks).slice(0, MAX_GPUS);
  const comparison = finding.compared === undefined ? undefined : comparisonOf(job, finding.compared, accused, devices);
  const unknown = comparison === undefined && COMPARISONS.has(finding.type);
  if (unknown && finding.severity === 'INFO') return null;
  const { id, framework } = { id: job.jobId, framework: job.framework };
  return {
    type: AnomalyType[unknown ? 'CROSS_RANK_DIVERGENCE' : finding.type],
    source: `training-monitor/${finding.detector}`,
    severity: AnomalySeverity[finding.severity],
    timeUs: eventTime(finding.timeUs, nowUs),
    gpus,
    job: { id, gpus: devices.count(job), rank: rank ?? 0, step: BigInt(step), framework },
    value: finding.value,
    limit: finding.limit,
    detail: shortened(unknown ? `${finding.detail}; what its devices answered is not known` : finding.detail),
    comparison,
    saved: undefined,
    loaded: undefined,
  };
}

/** Undefined where no rank of this node answered, or nothing is compared. The engine knows the device of a node that has one alone. */
function comparisonOf(job: Sender, compared: Compared, accused: readonly number[], devices: Devices) {
  const answers = compared.answers
    .filter(({ digest }) => digest !== '')
    .map((answer) => wireAnswer(job, answer, devices));
  const isAccused = ({ rank }: ComparedAnswer) => accused.includes(rank);
  const first = answers.filter(isAccused);
  const ordered = [...first, ...answers.filter((answer) => !isAccused(answer))].slice(0, MAX_ANSWERS);
  if (first.length === 0 || ordered.length < 2) return undefined;
  return { answers: ordered, agreedBefore: BigInt(compared.agreedBefore), asked: compared.asked, stateEqual: false };
}

function wireAnswer(
  job: Sender,
  { rank, digest, again }: Compared['answers'][number],
  devices: Devices,
): ComparedAnswer {
  const gpu = devices.deviceOf(job, rank);
  return { node: devices.nodeOf(job, rank), gpu, rank, digest: Buffer.from(digest, 'hex'), again, group: 0 };
}

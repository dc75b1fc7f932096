import { type AnomalyEvent, AnomalySeverity, AnomalyType } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { eventTime, MAX_ANSWERS, MAX_GPUS, shortened } from '@sentinel/monitor-kit/report/event-parts';
import type { Answer, Compared, Finding } from '../analysers/finding.js';
import type { Server } from '../grouping/server.js';
import type { Devices } from './devices.js';

const MAX_JOB_BYTES = 128;

/** Types that the engine takes only as a comparison of devices. */
const COMPARISONS: ReadonlySet<Finding['type']> = new Set(['REPLICA_MISMATCH', 'REPLAY_MISMATCH']);

/** A finding as the engine takes it. Null where it is of a comparison that names no answer of this node. */
export function eventOf(server: Server, finding: Finding, devices: Devices, nowUs: bigint): AnomalyEvent | null {
  const gpus = devices.of(server, finding.workers).slice(0, MAX_GPUS);
  const comparison = finding.compared === undefined ? undefined : comparisonOf(finding.compared, gpus, devices.node);
  const unknown = comparison === undefined && COMPARISONS.has(finding.type);
  if ((unknown || finding.compared !== undefined) && comparison === undefined && finding.severity === 'INFO')
    return null;
  return {
    type: AnomalyType[unknown ? 'INVARIANT_VIOLATION' : finding.type],
    source: `inference-monitor/${finding.detector}`,
    severity: AnomalySeverity[finding.severity],
    timeUs: eventTime(finding.timeUs, nowUs),
    gpus,
    // How many devices serve the model is not known.
    job: { id: jobOf(server), gpus: 0, rank: workerOf(finding), step: roundOf(finding), framework: server.framework },
    value: finding.value,
    limit: finding.limit,
    detail: shortened(finding.detail),
    comparison,
    saved: undefined,
    loaded: undefined,
  };
}

/** Replicas of one model do the same job. */
function jobOf({ model, framework }: Server): string {
  let kept = '';
  for (const character of model || framework || 'inference') {
    if (Buffer.byteLength(kept + character) > MAX_JOB_BYTES) break;
    kept += character;
  }
  return kept;
}

/** Requests have no steps: a comparison is known by its second. */
function roundOf({ compared, timeUs }: Finding): bigint {
  return compared === undefined ? 0n : BigInt(Math.floor(timeUs / 1e6));
}

function workerOf({ workers }: Finding): number {
  return workers === 'all' ? 0 : (workers[0] ?? 0);
}

/** Undefined where no device that is named, or could be this node's only one, answered. */
function comparisonOf(compared: Compared, gpus: readonly string[], node: string): AnomalyEvent['comparison'] {
  const { answers, agreedBefore, asked, stateEqual } = compared;
  const replicas = [...new Set(answers.map(({ replica }) => replica))];
  const isAccused = (answer: Answer) =>
    answer.node === node && (gpus.length === 0 ? answer.gpu === '' : gpus.includes(answer.gpu));
  const first = answers.filter(isAccused);
  const ordered = [...first, ...answers.filter((answer) => !isAccused(answer))].slice(0, MAX_ANSWERS);
  if (first.length === 0 || ordered.length < 2) return undefined;
  const shared = replicas.map((replica) => devicesOf(answers, replica) > 1);
  const wire = ordered.map(({ digest, replica, ...answer }) => {
    const rank = replicas.indexOf(replica);
    // Devices of one replica answer together.
    return { ...answer, rank, digest: Buffer.from(digest, 'hex'), group: shared[rank] === true ? rank + 1 : 0 };
  });
  return { answers: wire, agreedBefore: BigInt(agreedBefore), asked, stateEqual };
}

function devicesOf(answers: readonly Answer[], of: string): number {
  return new Set(answers.filter(({ replica }) => replica === of).map(({ node, gpu }) => `${node}\0${gpu}`)).size;
}

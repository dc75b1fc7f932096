import { deviceOf, editDevice } from '../evidence/draft.js';
import type { ComparisonOutcome, JsonValue } from '../evidence/effects.js';
import type { ComparisonRecord } from '../evidence/job-record.js';
import { withOnlyDevices } from '../evidence/jobs/only-device.js';
import { isNews, type LostRound, noteAgreed } from '../evidence/jobs/rounds.js';
import { type JobVerdict, type Outvoted, voteOf } from '../evidence/jobs/vote.js';
import type { DeviceState } from '../evidence/model/device.js';
import { emit, type Step } from '../evidence/step.js';
import { accuseOutvoted } from './accuse-outvoted.js';
import { accuseTogether } from './accuse-together.js';
import { agreedInJobs } from './agreed-in-jobs.js';
import { placeOf } from './place-in-job.js';
import { needsReview, review } from './review.js';
import { untoldBefore } from './tell-job-events.js';

/** Answers named in an entry of the ledger, the wrong ones first; the rest are counted. */
const MAX_ANSWERS_NAMED = 32;

/**
 * Several devices of a job had to have the same bits. The vote is taken here, whatever the monitor makes of it; a device that it names,
 * that is of its node and that lost, gets one hard failure, once for each round.
 */
export function applyComparison(step: Step, told: ComparisonRecord): void {
  const record = withOnlyDevices(step.draft, told);
  const verdict = voteOf(record.answers);
  const eventUs = Math.min(record.timeUs, step.ctx.nowUs);
  const named = record.gpus.flatMap((id) => ownDevice(step, record, id) ?? []);
  if (verdict.outcome !== 'OUTVOTED') {
    if (verdict.outcome === 'AGREED') for (const { id } of named) agree(step, id, record);
    else announce(step, record, verdict, { eventUs, outcome: verdict.outcome, gpu: '' });
    return note(step, record, verdict.outcome);
  }
  const lost = named.flatMap((device) => {
    const outvoted = verdict.outvoted.find(({ gpu }) => gpu === device.id);
    return outvoted === undefined ? [] : [{ device, outvoted }];
  });
  if (lost.length === 0) {
    announce(step, record, verdict, { eventUs, outcome: 'NOT_ITS_DEVICE', gpu: '' });
    return note(step, record, 'NOT_ITS_DEVICE');
  }
  const alone = lost.filter(({ outvoted }) => outvoted.together === 1);
  for (const { device, outvoted } of alone) lose(step, record, verdict, { device, outvoted, eventUs });
  const together = lost.filter(({ outvoted }) => outvoted.together > 1);
  if (together.length > 0) loseTogether(step, record, verdict, eventUs, together);
}

interface Lost {
  readonly device: DeviceState;
  readonly outvoted: Outvoted;
  readonly eventUs: number;
}

function lose(step: Step, record: ComparisonRecord, verdict: JobVerdict, { device, outvoted, eventUs }: Lost): void {
  const round = roundOf(record, outvoted, eventUs);
  // What was said before is not said again: a replica that went wrong loses every comparison.
  if (!isNews(device, round)) return note(step, record, 'REPEATED');
  announce(step, record, verdict, { eventUs, outcome: 'COUNTED', gpu: device.id });
  note(step, record, 'COUNTED');
  accuseOutvoted(step, editDevice(step.draft, device.id), { record, verdict, outvoted, round });
  review(step, device.id);
}

/** Any of them may be to blame: it is told of once, and shared. */
function loseTogether(
  step: Step,
  record: ComparisonRecord,
  verdict: JobVerdict,
  eventUs: number,
  lost: readonly Omit<Lost, 'eventUs'>[],
): void {
  const news = lost.flatMap(({ device, outvoted }) => {
    const round = { ...roundOf(record, outvoted, eventUs), together: outvoted.together };
    return isNews(device, round) ? [{ id: device.id, round }] : [];
  });
  if (news.length === 0) return note(step, record, 'REPEATED');
  announce(step, record, verdict, { eventUs, outcome: 'SHARED', gpu: '' });
  note(step, record, 'SHARED');
  for (const { id, round } of news) accuseTogether(step, editDevice(step.draft, id), record, round);
}

function roundOf(record: ComparisonRecord, { wavers }: Outvoted, timeUs: number): LostRound {
  const { type, job, rank, agreedBefore, stateEqual = false } = record;
  return {
    ...{ type, job, ...(rank === undefined ? {} : { rank }), step: record.step ?? 0, timeUs },
    ...{ agreedBefore, wavers, stateEqual },
  };
}

/** In service on the monitor's own node. */
function ownDevice(step: Step, { node }: ComparisonRecord, id: string): DeviceState | undefined {
  const device = deviceOf(step.draft, id);
  return device?.node === node && device.replaced === null ? device : undefined;
}

/** Of a device that never lost nothing is kept. */
function agree(step: Step, id: string, { type, job, agreedBefore }: ComparisonRecord): void {
  const known = deviceOf(step.draft, id);
  if (known?.jobs === undefined) return;
  const device = editDevice(step.draft, id);
  noteAgreed(device, type, job);
  // Whether this one is among them the monitor does not say.
  agreedInJobs(device, Math.max(1, agreedBefore));
  if (needsReview(step, id)) review(step, id);
}

function note(step: Step, { type }: ComparisonRecord, outcome: ComparisonOutcome): void {
  step.effects.comparisons.push({ type, outcome });
}

function announce(
  step: Step,
  record: ComparisonRecord,
  { digest, devices, agreeing, outvoted }: JobVerdict,
  { eventUs, outcome, gpu }: { eventUs: number; outcome: ComparisonOutcome; gpu: string },
): void {
  const { node, type, job, jobGpus, source, gpus, asked, agreedBefore, answers, stateEqual, detail = '' } = record;
  const wrongFirst = answers.toSorted((a, b) => Number(a.digest === digest) - Number(b.digest === digest));
  const named = wrongFirst.slice(0, MAX_ANSWERS_NAMED);
  const more = answers.length - named.length;
  const known = deviceOf(step.draft, gpu);
  // Whoever is accused is always told of.
  const untold =
    outcome === 'COUNTED' || outcome === 'SHARED' ? 0 : untoldBefore(step, node, `${outcome} ${type} ${job}`);
  if (untold === null) return;
  emit(
    step,
    'ANOMALY',
    { gpu, eventUs, injected: record.testBuild || known?.testBuild === true },
    {
      ...{
        event: 'job_comparison',
        outcome,
        anomaly_type: type,
        node,
        source,
        job,
        job_gpus: jobGpus,
        ...placeOf(record),
      },
      ...{ named: [...gpus], outvoted: outvoted.map((device) => device.gpu).slice(0, MAX_ANSWERS_NAMED) },
      ...{ devices, agreeing, majority: digest, asked, agreed_before: agreedBefore },
      ...(stateEqual === true ? { state_equal: true } : {}),
      ...{ answers: named.map((answer): JsonValue => ({ ...answer })), ...(more > 0 ? { more_answers: more } : {}) },
      ...(detail === '' ? {} : { detail }),
      ...(untold === 0 ? {} : { untold_before: untold }),
      build_id: record.buildId,
    },
  );
}

/** Soft events (a monitor's anomaly) of one source on one device: what the days before amount to, and the newest day. */
export interface SoftSource {
  source: string;
  /** Newest day with an event, in days since the Unix epoch; its events, and the job that the newest of them ran in ('' = none). */
  day: number;
  events: number;
  job: string;
  /** Log-likelihood ratio of a defect gathered before that day, 0 to ln 1e4. */
  cusum: number;
}

/** Soft evidence multiplies the onset of a defect by at most this. */
export const MAX_SOFT_FACTOR = 1e4;
export const MAX_CUSUM = Math.log(MAX_SOFT_FACTOR);
/** Events per device and day that a defect is taken to add. */
const DEFECT_RATE = 0.2;
/** No single day convinces. */
const MAX_DAY_RATIO = 6;
/** Events of one device and day beyond this teach nothing about the source. */
export const MAX_COUNTED_A_DAY = 3;
/** A source is taken for this noisy, events per device and day, until it has been watched: 1 in 100 days. */
const PRIOR_EVENTS = 1;
const PRIOR_DAYS = 100;
/** The rest of a job at so many times its rate: the job explains the event, not the device. */
const JOB_EXCESS = 5;

/** Learned false-positive rate of a source, events per device and day; > 0. */
export function noiseRate(events: number, deviceDays: number): number {
  return (PRIOR_EVENTS + events) / (PRIOR_DAYS + deviceDays);
}

/** Log-likelihood ratio of one day with so many events of a source that noisy, of a defect against none. */
export function dayRatio(events: number, noise: number): number {
  const ratio = events * Math.log((noise + DEFECT_RATE) / noise) - DEFECT_RATE;
  return Math.max(-DEFECT_RATE, Math.min(MAX_DAY_RATIO, ratio));
}

/** The CUSUM at the end of `day`, `today` being what the source's newest day amounts to; days without events speak for health. */
export function cusumOn(source: SoftSource, today: number, day: number): number {
  const quiet = Math.max(0, day - source.day) * DEFECT_RATE;
  return clipped(clipped(source.cusum + today) - quiet);
}

/** Does the whole job fail more than this device alone would explain? `events` and `gpus` are those of the job that day. */
export function isJobWide(job: { events: number; gpus: number }, own: number, noise: number): boolean {
  return job.gpus > 1 && Math.max(0, job.events - own) / (job.gpus - 1) > JOB_EXCESS * noise;
}

function clipped(cusum: number): number {
  return Math.max(0, Math.min(MAX_CUSUM, cusum));
}

import { type Draft, deviceCount, editFleet, fleetOf } from '../draft.js';
import type { DeviceState } from '../model/device.js';
import type { SoftFacts } from '../model/fleet.js';
import { forget, type Step } from '../step.js';
import { cusumOn, dayRatio, isJobWide, MAX_COUNTED_A_DAY, MAX_CUSUM, noiseRate, type SoftSource } from './cusum.js';

const DAY_US = 86_400_000_000;
/** Sources told apart on one device, and in the fleet; a further one replaces the one that was quiet for longest. */
const MAX_SOURCES = 8;
const MAX_SOURCES_OF_FLEET = 64;
/** Jobs whose events of a day are counted; the oldest make room. */
const MAX_JOBS = 1024;

export interface SoftEvent {
  source: string;
  /** Event time. */
  timeUs: number;
  /** '' = none, or not known. */
  job: string;
  /** Devices that the job runs on; 0 = not known. */
  jobGpus: number;
  /** Part of the event that is this device's; absent = all of it. */
  share?: number;
}

/** Adds an event to a draft's device and to what is known of its source and job. @returns what is known of the source on the device now */
export function addSoftEvent(step: Step, device: DeviceState, event: SoftEvent): SoftSource {
  const { draft } = step;
  const day = Math.floor(event.timeUs / DAY_US);
  const known = device.soft.find((entry) => entry.source === event.source);
  const next = continued(draft, known, event, day);
  const others = device.soft.filter((entry) => entry !== known).sort((a, b) => b.day - a.day);
  forget(step, 'soft_source', others.length + 1 - MAX_SOURCES);
  device.soft = [next, ...others.slice(0, MAX_SOURCES - 1)];
  const fleet = editFleet(draft);
  fleet.soft = learned(step, fleet.soft, event, next);
  return next;
}

/** ln of the factor by which soft evidence multiplies the onset of defects of a device: 0 to ln 1e4. A view. */
export function softCusum(draft: Draft, device: DeviceState, nowUs: number): number {
  const day = Math.floor(nowUs / DAY_US);
  const sum = device.soft.reduce((total, source) => total + cusumOn(source, today(draft, source), day), 0);
  return Math.min(MAX_CUSUM, sum);
}

/** The source's newest day, begun anew if the event is of a later one. */
function continued(draft: Draft, known: SoftSource | undefined, event: SoftEvent, day: number): SoftSource {
  const { source, job, share = 1 } = event;
  if (known === undefined) return { source, day, events: share, job, cusum: 0 };
  if (day <= known.day) return { ...known, events: known.events + share, job };
  return { source, day, events: share, job, cusum: cusumOn(known, today(draft, known), day - 1) };
}

/** What the newest day of a source amounts to, now that the rest of its job is known. */
function today(draft: Draft, { source, day, events, job }: SoftSource): number {
  const { sources, jobs } = fleetOf(draft).soft;
  const seen = sources[source];
  const days = seen === undefined ? 0 : Math.max(1, day - seen.sinceDay + 1);
  const noise = noiseRate(seen?.events ?? 0, days * deviceCount(draft));
  const whole = job === '' ? undefined : jobs[jobKey(source, job)];
  const explained = whole?.day === day && isJobWide(whole, events, noise);
  return dayRatio(explained ? 0 : events, noise);
}

function learned(
  step: Step,
  facts: SoftFacts,
  { source, job, jobGpus, share = 1 }: SoftEvent,
  { day, events }: SoftSource,
): SoftFacts {
  const seen = facts.sources[source] ?? { sinceDay: day, events: 0 };
  const counted = events <= MAX_COUNTED_A_DAY ? share : 0;
  const sources = bounded(
    { ...facts.sources, [source]: { ...seen, events: seen.events + counted } },
    MAX_SOURCES_OF_FLEET,
    () => forget(step, 'soft_source'),
  );
  if (job === '') return { ...facts, sources };
  const key = jobKey(source, job);
  const { [key]: before, ...others } = facts.jobs;
  const sameDay = before?.day === day ? before.events : 0;
  return {
    sources,
    jobs: bounded({ ...others, [key]: { day, events: sameDay + share, gpus: jobGpus } }, MAX_JOBS, () =>
      forget(step, 'soft_job'),
    ),
  };
}

/** The newest entries: those that were written last. */
function bounded<T>(entries: Record<string, T>, limit: number, dropped: () => void): Record<string, T> {
  const list = Object.entries(entries);
  if (list.length <= limit) return entries;
  dropped();
  return Object.fromEntries(list.slice(-limit));
}

function jobKey(source: string, job: string): string {
  return JSON.stringify([source, job]);
}

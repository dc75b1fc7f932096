import { type Census, censusOf, cohortsOf } from '../evidence/census.js';
import { cohortOf } from '../evidence/cohorts.js';
import { configOf, type Draft } from '../evidence/draft.js';
import { familyName } from '../evidence/families.js';
import type { DeviceState, PatternName, SignalSource } from '../evidence/model/device.js';
import type { Family } from '../evidence/model/terms.js';
import { TEMPERATURE_CLASSES, temperatureFrom } from '../evidence/posterior/bins.js';
import { nodeFault } from '../evidence/posterior/node-fault.js';
import { totalsOf } from '../evidence/unit-totals.js';
import { type RateRatio, rateRatio } from './rate-ratio.js';

type Size = Pick<Census, 'devices' | 'failingDevices'>;

/** A pattern that the device's observations make. */
export interface Pattern {
  name: PatternName;
  /** 1 - the probability that chance alone shows it as clearly; never 1. */
  confidence: number;
  evidence: string;
}

/** Coverage of the interval that is reported. */
const COVERAGE = 0.95;
const SECONDS_PER_HOUR = 3600;
/** Signals of a healthy device per hour, by source: engineering estimates, meant to be high. */
const SIGNALS_PER_HOUR: Readonly<Record<SignalSource, number>> = {
  probe: 1e-4,
  loud_fault: 1e-3,
  canary: 1e-4,
  anomaly: 1e-2 / 24,
  job: 1e-4,
};
const SOURCE_NAMES: Readonly<Record<SignalSource, string>> = {
  probe: 'a wrong result of a probe',
  loud_fault: 'a loud fault (Xid, machine check or uncorrectable ECC)',
  canary: 'a dissenting canary',
  anomaly: 'an anomaly of a job',
  job: 'a comparison in a job that it lost',
};
const MOST = 1 - 1e-12;

/** All patterns of a device, from what was counted. O(families and node mates), whatever happened before. */
export function patternsOf(draft: Draft, device: DeviceState, nowUs: number): Pattern[] {
  if (device.signals === null) return [];
  const found = [
    smLocalized(device),
    environmental(device),
    multiSignal(device, configOf(draft).correlation.windowSeconds, nowUs),
    tmrConfirmed(device),
    nodeCorrelated(draft, device, nowUs),
    firmwareCorrelated(draft, device),
    probeOrSoftware(draft, device),
  ];
  const { minConfidence } = configOf(draft).correlation;
  return found.filter((pattern) => pattern !== undefined && pattern.confidence >= minConfidence) as Pattern[];
}

/** Scheduled runs reach all SMs alike: failures of chance would be spread over them. */
function smLocalized({ signals, sms }: DeviceState): Pattern | undefined {
  if (signals === null || signals.sm === null || sms.length < 2 || signals.onSm < 2) return undefined;
  const total = signals.onSm + signals.elsewhere;
  const share = 1 / sms.length;
  const chance = sms.length * binomialTail(signals.onSm, total, share);
  const evidence = `${signals.onSm} of ${total} failing scheduled executions were on SM ${signals.sm}, one of ${sms.length}.`;
  return pattern('SM_LOCALIZED', chance, evidence);
}

/** Hotter against cooler executions of the units that failed, at the split that shows most (of equal ones the hottest), with a correction for looking at all. */
function environmental({ signals }: DeviceState): Pattern | undefined {
  if (signals === null) return undefined;
  const splits = TEMPERATURE_CLASSES - 2;
  let clearest: { split: number; found: RateRatio } | undefined;
  for (let split = 2; split < TEMPERATURE_CLASSES; split += 1) {
    const hot = counted(signals, split, TEMPERATURE_CLASSES);
    const found = rateRatio(hot, counted(signals, 1, split), COVERAGE);
    if (found !== undefined && (clearest === undefined || found.pValue <= clearest.found.pValue))
      clearest = { split, found };
  }
  if (clearest === undefined) return undefined;
  const { split, found } = clearest;
  const high = Number.isFinite(found.high) ? found.high.toPrecision(3) : 'no limit';
  const times = Number.isFinite(found.ratio) ? `${found.ratio.toPrecision(3)} times as often` : 'only';
  const evidence = `The units that failed fail ${times} from ${temperatureFrom(split)} °C on (rate ratio, 95 % interval ${found.low.toPrecision(3)} to ${high}).`;
  return pattern('ENVIRONMENTAL', found.pValue * splits, evidence);
}

function counted(
  { executions, failures }: { executions: readonly number[]; failures: readonly number[] },
  from: number,
  until: number,
) {
  const sum = (counts: readonly number[]): number =>
    counts.slice(from, until).reduce((total, count) => total + count, 0);
  return { executions: sum(executions), failures: sum(failures) };
}

/** Sources that know nothing of each other spoke within the window. */
function multiSignal({ signals }: DeviceState, windowSeconds: number, nowUs: number): Pattern | undefined {
  const windowUs = windowSeconds * 1e6;
  const all = sourcesOf(signals?.lastUs ?? {}).filter(([, us]) => us > nowUs - windowUs);
  // What is wrong with a job shows in both.
  const lost = all.some(([source]) => source === 'job');
  const recent = lost ? all.filter(([source]) => source !== 'anomaly') : all;
  if (recent.length < 2) return undefined;
  const windowHours = windowSeconds / SECONDS_PER_HOUR;
  const rates = recent.map(([source]) => SIGNALS_PER_HOUR[source] * windowHours).sort((a, b) => b - a);
  const chance = rates.slice(1).reduce((product, rate) => product * rate, 1);
  const names = recent.map(([source]) => SOURCE_NAMES[source]).join(' and ');
  return pattern('MULTI_SIGNAL', chance, `${names} within ${windowSeconds} s.`);
}

/** A vote of three devices names the device that the probes accuse. */
function tmrConfirmed({ signals, units }: DeviceState): Pattern | undefined {
  const { canary, probe } = signals?.lastUs ?? {};
  if (canary === undefined || probe === undefined || totalsOf(units).counted === 0) return undefined;
  const hours = Math.abs(canary - probe) / 1e6 / SECONDS_PER_HOUR + 1;
  const evidence = 'It was outvoted by two other devices in a canary, besides the wrong results of its probes.';
  return pattern('TMR_CONFIRMED', SIGNALS_PER_HOUR.canary * hours, evidence);
}

/** Gate 6 weighs the same: what the page says of the node is what decides. */
function nodeCorrelated(draft: Draft, device: DeviceState, nowUs: number): Pattern | undefined {
  const { devices, failing, oddsOf } = nodeFault(draft, device, nowUs);
  const odds = oddsOf.get(device.id);
  if (odds === undefined) return undefined;
  const evidence = `${failing.length} of the ${devices} devices of ${device.node} computed wrong results within 7 days.`;
  return pattern('NODE_CORRELATED', 1 / (1 + odds), evidence);
}

/** More devices of this driver failed the family than of others of the same model, given how many there are of each. */
function firmwareCorrelated(draft: Draft, device: DeviceState): Pattern | undefined {
  let clearest: Pattern | undefined;
  for (const family of totalsOf(device.units).families) {
    const own = censusOf(draft, cohortOf(device, family));
    if (own.failingDevices < 2) continue;
    const others = otherDrivers(draft, device, family);
    if (others.devices === 0) continue;
    const chance = hypergeometricTail(own, others);
    const evidence = `${own.failingDevices} of ${own.devices} devices with driver ${device.driverVersion} failed ${familyName(family)}, and ${others.failingDevices} of ${others.devices} with others.`;
    const found = pattern('FIRMWARE_CORRELATED', chance, evidence);
    if (clearest === undefined || found.confidence > clearest.confidence) clearest = found;
  }
  return clearest;
}

function otherDrivers(draft: Draft, device: DeviceState, family: Family): Size {
  const own = cohortOf(device, family);
  const others = { devices: 0, failingDevices: 0 };
  for (const cohort of cohortsOf(draft, device, family)) {
    if (cohort === own) continue;
    const { devices, failingDevices } = censusOf(draft, cohort);
    others.devices += devices;
    others.failingDevices += failingDevices;
  }
  return others;
}

function probeOrSoftware(draft: Draft, device: DeviceState): Pattern | undefined {
  const breadth = device.gates.find((gate) => gate.name === 'breadth');
  if (breadth?.verdict !== 'HOLD') return undefined;
  return pattern('PROBE_OR_SOFTWARE', configOf(draft).gates.breadth_poisson_tail, breadth.reason);
}

function pattern(name: PatternName, chance: number, evidence: string): Pattern {
  return { name, confidence: Math.max(0, Math.min(MOST, 1 - chance)), evidence };
}

function sourcesOf(lastUs: Readonly<Partial<Record<SignalSource, number>>>): [SignalSource, number][] {
  return Object.entries(lastUs) as [SignalSource, number][];
}

/** P(X >= hits) of a binomial variable: the tail itself is summed, for it is small. */
function binomialTail(hits: number, total: number, share: number): number {
  let ln = 0;
  for (let k = 0; k < hits; k += 1) ln += Math.log((total - k) / (k + 1));
  let sum = 0;
  for (let k = hits; k <= total; k += 1) {
    const term = Math.exp(ln + k * Math.log(share) + (total - k) * Math.log1p(-share));
    sum += term;
    if (term < sum * 1e-17) break;
    ln += Math.log((total - k) / (k + 1));
  }
  return Math.min(1, sum);
}

/** Probability that so many of the failing devices, or more, are among the own ones by chance (Fisher's exact test, one-sided). */
function hypergeometricTail(own: Size, others: Size): number {
  const failing = own.failingDevices + others.failingDevices;
  const all = lnChoose(own.devices + others.devices, failing);
  let sum = 0;
  let last = 0;
  for (let k = own.failingDevices; k <= Math.min(failing, own.devices); k += 1) {
    if (failing - k > others.devices) continue;
    const term = Math.exp(lnChoose(own.devices, k) + lnChoose(others.devices, failing - k) - all);
    sum += term;
    // Beyond the largest of them the terms only fall.
    if (term < last && term < sum * 1e-17) break;
    last = term;
  }
  return Math.min(1, sum);
}

function lnChoose(n: number, k: number): number {
  let ln = 0;
  for (let i = 1; i <= Math.min(k, n - k); i += 1) ln += Math.log((n - i + 1) / i);
  return ln;
}

import { configOf, type Draft, deviceOf, nodeOf } from '../draft.js';
import { exposureOf } from '../exposure.js';
import { poissonTail } from '../gates/breadth.js';
import type { DeviceState } from '../model/device.js';
import type { AttributionSettings } from '../model/settings.js';
import { totalsOf } from '../unit-totals.js';
import { healthyRate } from './rates.js';

/** How long a mismatch of a device speaks against its node. */
export const NODE_WINDOW_US = 7 * 86_400_000_000;
const YEAR_US = 8766 * 3_600_000_000;
const WINDOW_YEARS = NODE_WINDOW_US / YEAR_US;
/** One fault of the node shows on two of its devices at least; on one alone it cannot be told from a defect of the device. */
const FEWEST_DEVICES = 2;
const LARGEST_ODDS = 1e300;

/** What the mismatches on the devices of a node say of the node. */
export interface NodeFault {
  /** Devices of the node that are there or fail. */
  devices: number;
  /** Those with a mismatch in the window, in the order of the node. */
  failing: DeviceState[];
  /** Posterior odds that one fault of the node explains two of them or more, against each having a cause of its own: finite, >= 0. */
  odds: number;
  /** The same for one device: that the fault of the node explains what this one showed. */
  oddsOf: ReadonlyMap<string, number>;
}

/**
 * Power, cooling, memory or software of the node, or each device for itself? The explanations of the last 7 days compete: every
 * failing device has a defect of one unit, a defect of the device as a whole or passing faults; or one fault of the node stands
 * behind some of them. A fault of the node falls anywhere, so failures that come back to one SM speak for a defect there.
 *
 * @param device stands for the one of its id in the draft
 */
export function nodeFault(draft: Draft, device: DeviceState, nowUs: number): NodeFault {
  const known = nodeOf(draft, device.node)?.deviceIds ?? [device.id];
  const all = known.flatMap((id) => (id === device.id ? device : (deviceOf(draft, id) ?? [])));
  const failing = all.filter((mate) => speaksAgainstNode(draft, mate, nowUs));
  // A device that was taken out says nothing for the node, but its failures still speak against it.
  const devices = all.filter((mate) => mate === device || mate.announced || failing.includes(mate)).length;
  if (failing.length < FEWEST_DEVICES) return { devices, failing, odds: 0, oddsOf: new Map() };
  const settings = configOf(draft).attribution;
  const shares = failing.map((mate) => shareOfNode(draft, settings, mate));
  const prior = settings.node_faults_per_node_year * yearsAtRisk(draft, failing);
  const whole = weigh(distribution(shares), devices, prior);
  const odds = ratio(whole.node, whole.none);
  return {
    devices,
    failing,
    odds,
    oddsOf: new Map(failing.map(({ id }, i) => [id, memberOdds(shares, i, devices, prior)])),
  };
}

function speaksAgainstNode(draft: Draft, mate: DeviceState, nowUs: number): boolean {
  const released = nodeOf(draft, mate.node)?.released;
  if (released !== undefined && nowUs < released.untilUs + NODE_WINDOW_US && released.devices.includes(mate.id))
    return false;
  const { lastObservationUs: lastUs } = mate;
  return lastUs !== null && nowUs < lastUs + NODE_WINDOW_US && totalsOf(mate.units).counted > 0;
}

/**
 * How much of what a device showed a given fault of its node would explain, against all that the device alone may have; in (0, 1).
 */
function shareOfNode(draft: Draft, settings: AttributionSettings, mate: DeviceState): number {
  const { counted, worstSm } = totalsOf(mate.units);
  const chance = chancePerWindow(draft, mate);
  const years = yearsAtRisk(draft, [mate]);
  const unit = mate.confirmed.length > 0 ? 1 : settings.unit_defects_per_gpu_year * years;
  // What is not on the SM of the defect is chance then.
  const elsewhere = tailOf(counted - (worstSm?.counted ?? 0), chance);
  const onOneSm = elsewhere === 0 ? 0 : unit * elsewhere * Math.exp(Math.min(700, repeatsOnSm(mate)));
  const anywhere = settings.gpu_defects_per_gpu_year * years + tailOf(counted, chance);
  return 1 / (1 + onOneSm + anywhere);
}

/**
 * ln of how much better a defect of one SM explains that failures came back to it. Scheduled runs reach all SMs alike, so each
 * further one there is one in as many as there are SMs. What the engine asked for on that SM (bursts, follow-ups), and what the
 * agent repeated there, is counted as one in two: at least as much ran elsewhere meanwhile, on this device or on its mates.
 */
function repeatsOnSm({ units, signals, sms }: DeviceState): number {
  const worst = totalsOf(units).worstSm;
  if (worst === undefined) return 0;
  const scheduled = signals?.sm === worst.sm ? Math.max(1, Math.min(signals.onSm, worst.counted)) : 1;
  return (scheduled - 1) * Math.log(Math.max(1, sms.length)) + (worst.counted - scheduled) * Math.LN2;
}

/**
 * Within the window something new broke; what failed from the first week on may also have been dead on arrival, which is as
 * likely as a defect in a year of service.
 */
function yearsAtRisk(draft: Draft, failing: readonly DeviceState[]): number {
  const fromStart = failing.some((mate) => {
    const sinceUs = firstRunUs(draft, mate);
    return sinceUs === undefined || (mate.firstObservationUs ?? sinceUs) < sinceUs + NODE_WINDOW_US;
  });
  return WINDOW_YEARS + (fromStart ? 1 : 0);
}

function firstRunUs(draft: Draft, { id, families }: DeviceState): number | undefined {
  const starts = families.flatMap(({ family }) => exposureOf(draft, id, family)?.firstRunUs ?? []);
  return starts.length === 0 ? undefined : Math.min(...starts);
}

/** Passing faults that a healthy device of this cohort would show in the window, from what it runs. */
function chancePerWindow(draft: Draft, device: DeviceState): number {
  let sum = 0;
  for (const { family } of device.families) {
    const ran = exposureOf(draft, device.id, family);
    if (ran === undefined) continue;
    const windows = Math.max(1, (ran.lastRunUs - ran.firstRunUs) / NODE_WINDOW_US);
    sum += (healthyRate(draft, device, family) * ran.executions) / windows;
  }
  return sum;
}

/** P(X >= count), without a sum over floods that chance never makes. */
function tailOf(count: number, mean: number): number {
  return count > 2 * mean + 100 ? 0 : poissonTail(count, mean);
}

interface Weights {
  /** Two devices or more because of the node, and none of them. */
  node: number;
  none: number;
}

/**
 * The fault shows on two devices or on all, each number alike, and on any so many of them alike.
 *
 * @param counts probability of each number of devices that it explains, of those that it may explain
 * @param already devices that it explains in any case
 */
function weigh(counts: readonly number[], devices: number, prior: number, already = 0): Weights {
  let node = 0;
  counts.forEach((probability, k) => {
    if (k + already >= FEWEST_DEVICES) node += (probability * prior) / ((devices - 1) * choose(devices, k + already));
  });
  return { node, none: counts[0] ?? 0 };
}

/** Probability of each number of successes among independent trials. */
function distribution(probabilities: readonly number[]): number[] {
  const counts = [1];
  for (const p of probabilities) {
    counts.push(0);
    // Downwards, in place: every review of a suspect in a storm asks.
    for (let k = counts.length - 1; k > 0; k -= 1) counts[k] = (counts[k] ?? 0) * (1 - p) + (counts[k - 1] ?? 0) * p;
    counts[0] = (counts[0] ?? 0) * (1 - p);
  }
  return counts;
}

function memberOdds(shares: readonly number[], member: number, devices: number, prior: number): number {
  const own = shares[member] ?? 0;
  const others = distribution(shares.filter((_, i) => i !== member));
  const without = weigh(others, devices, prior);
  return ratio(own * weigh(others, devices, prior, 1).node, (1 - own) * (without.none + without.node));
}

function choose(n: number, k: number): number {
  let found = 1;
  for (let i = 1; i <= k; i += 1) found *= (n - k + i) / i;
  return found;
}

function ratio(a: number, b: number): number {
  return a === 0 ? 0 : Math.min(LARGEST_ODDS, a / b);
}

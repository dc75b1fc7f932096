import { configOf, type Draft } from './draft.js';
import { deviceExposure, exposureOf } from './exposure.js';
import { JOB } from './families.js';
import type { DeviceState } from './model/device.js';
import type { Family } from './model/terms.js';
import type { UnitName, UnitState } from './model/unit.js';
import { gpuBeliefs, unitBeliefs } from './posterior/beliefs.js';
import { type Causes, causesOf } from './posterior/explanations.js';
import { lnTotal, neverFailed, type Onset, oddsOf, probabilityOf, sharesOf } from './posterior/recursion.js';
import { lnOddsOfParts } from './posterior/spread.js';
import { lnOddsAt } from './posterior/unit.js';
import { thresholdOdds } from './score.js';
import { totalsOf, unitsOf } from './unit-totals.js';

/** What the evidence amounts to for one unit that failed. */
export interface UnitAssessment {
  family: Family;
  sm: number;
  /** Posterior odds of a defect of this unit: finite, > 0. */
  odds: number;
  probability: number;
  /** The smallest failure probability of the grid that holds at least 1 % of the unit's posterior. */
  thetaEff: number;
}

/** What the evidence of a device amounts to. */
export interface Assessment {
  /** Posterior odds that the device has a defect, of a unit or as a whole: finite, > 0. The displayed score is made from them. */
  odds: number;
  probability: number;
  /** The evidence asks for QUARANTINE, if gates 3-7 let it. */
  quarantine: boolean;
  hardObservations: number;
  answers: number;
  /** Units that failed. */
  units: UnitAssessment[];
  /** Odds of a defect of the device as a whole. */
  gpuOdds: number;
  causes: Causes;
  /** One sentence: how the decision stands. */
  reason: string;
  /** What is still needed for QUARANTINE; '' = nothing. */
  missing: string;
}

/** Whether the evidence asks for a quarantine, without a look at what else may explain it. */
export interface Decision {
  /** The evidence asks for QUARANTINE, if gates 3-7 let it. */
  quarantine: boolean;
  hardObservations: number;
  answers: number;
}

/**
 * From evidence to a decision. Pure; the order of arrival across devices and nodes must not matter. The three look at the same
 * odds: `decide` is what every record of a suspect asks, and says nothing more than whether they suffice.
 */
export interface DecisionModel {
  readonly name: string;
  /**
   * @param families those whose evidence may count, as gates ask; null = all
   * @param facts what else is known; only read
   */
  decide(device: DeviceState, families: readonly Family[] | null, nowUs: number, facts: Draft): Decision;
  /** Posterior odds of a defect of the device: finite, > 0. */
  odds(device: DeviceState, nowUs: number, facts: Draft): number;
  assess(device: DeviceState, families: readonly Family[] | null, nowUs: number, facts: Draft): Assessment;
}

/** Hard observations that a quarantine needs, and those of them in answer to the first. */
const NEEDED = { observations: 2, answers: 1 };

/** Onset of a defect per unit and per device, competing with every other explanation. */
export const posteriorOdds: DecisionModel = {
  name: 'posterior odds of an onset',
  decide(device, families, nowUs, facts) {
    const at = lookAt(device, families, nowUs, facts);
    const tally = tallyOf(at.failing);
    const atOnce = isAtOnce(facts, totalsOf(at.failing).consecutive);
    const quarantine = atOnce || (suffices(tally) && reaches(at, thresholdOdds(configOf(facts)).quarantine));
    return { quarantine, ...tally };
  },
  odds(device, nowUs, facts) {
    const at = lookAt(device, null, nowUs, facts);
    return totalOf(gpuOddsOf(at), unitOddsOf(at));
  },
  assess(device, families, nowUs, facts) {
    const at = lookAt(device, families, nowUs, facts);
    const units = at.failing.map((unit) => assessUnit(at, unit));
    // A job accuses the device as a whole.
    const [inJobs, ofUnits] = [units.filter(isInJobs), units.filter((unit) => !isInJobs(unit))];
    const gpuOdds = gpuOddsOf(at) + sumOf(inJobs);
    const unitOdds = sumOf(ofUnits) + oddsOfTheRest(at);
    const odds = totalOf(gpuOdds, unitOdds);
    const tally = tallyOf(at.failing);
    const needed = thresholdOdds(configOf(facts)).quarantine;
    const { consecutive } = totalsOf(at.failing);
    const atOnce = isAtOnce(facts, consecutive);
    const missing = atOnce ? '' : missingOf(tally, inJobs.length > 0, odds, needed);
    return {
      odds,
      probability: probabilityOf(odds),
      quarantine: missing === '',
      ...tally,
      units,
      gpuOdds,
      causes: causesOf(facts, device, unitOdds, gpuOdds, nowUs),
      reason: reasonOf(tally, odds, atOnce ? consecutive : 0),
      missing,
    };
  },
};

function isInJobs({ family }: UnitAssessment): boolean {
  return family === JOB;
}

function sumOf(units: readonly UnitAssessment[]): number {
  return units.reduce((sum, { odds }) => sum + odds, 0);
}

/** A device as it is looked at, and what is believed of its units. */
interface Looked {
  facts: Draft;
  device: DeviceState;
  families: readonly Family[] | null;
  /** Units that failed, of these families. */
  failing: readonly UnitState[];
  nowUs: number;
  beliefs: ReturnType<typeof unitBeliefs>;
  /** Log odds of units without a failure of their own: the same for all of a family that nothing tells apart. */
  clean: Map<string, number[]>;
}

function lookAt(device: DeviceState, families: readonly Family[] | null, nowUs: number, facts: Draft): Looked {
  const failing = unitsOf(device.units, families);
  return { facts, device, families, failing, nowUs, beliefs: unitBeliefs(facts, device, nowUs), clean: new Map() };
}

function totalOf(gpuOdds: number, unitOdds: number): number {
  return Math.min(gpuOdds + unitOdds, Number.MAX_VALUE);
}

/**
 * Are the odds as high? They are a sum of positive terms, and rounding never makes a sum smaller than one of them: where one
 * suffices, the others need not be known.
 */
function reaches(at: Looked, needed: number): boolean {
  const { mostAccused } = totalsOf(at.failing);
  if (mostAccused !== undefined && oddsOfUnit(at, mostAccused) >= needed) return true;
  const gpuOdds = gpuOddsOf(at);
  return gpuOdds >= needed || totalOf(gpuOdds, unitOddsOf(at)) >= needed;
}

function unitOddsOf(at: Looked): number {
  return at.failing.reduce((sum, unit) => sum + oddsOfUnit(at, unit), 0) + oddsOfTheRest(at);
}

function oddsOfUnit(at: Looked, unit: UnitState): number {
  return oddsOf(lnTotal(lnOddsOfUnit(at, unit)));
}

function lnOddsOfUnit(at: Looked, unit: UnitState): readonly number[] {
  return unit.posterior === null ? lnOddsOfCleanUnit(at, unit) : lnOddsAt(unit.posterior, at.beliefs(unit), at.nowUs);
}

function assessUnit(at: Looked, unit: UnitState): UnitAssessment {
  const { thetas } = at.beliefs(unit);
  const lnOdds = lnOddsOfUnit(at, unit);
  const odds = oddsOf(lnTotal(lnOdds));
  const shares = sharesOf(lnOdds);
  const held = thetas.filter((_, j) => (shares[j] ?? 0) >= 0.01);
  return { family: unit.family, sm: unit.sm, odds, probability: probabilityOf(odds), thetaEff: Math.min(...held) };
}

/** Units that never failed are known by what the device ran. */
function oddsOfTheRest(at: Looked): number {
  const { device, families } = at;
  let sum = 0;
  for (const { family } of device.families) {
    if (families !== null && !families.includes(family)) continue;
    const failed = new Set(device.units.filter((unit) => unit.family === family).map((unit) => unit.sm));
    const clean = device.sms.filter((sm) => !failed.has(sm));
    const oddsOn = (sm: number): number => oddsOf(lnTotal(lnOddsOfCleanUnit(at, { family, sm })));
    // Only a confirmed defect makes one SM likelier than another.
    if (device.confirmed.length > 0) for (const sm of clean) sum += oddsOn(sm);
    else if (clean[0] !== undefined) sum += clean.length * oddsOn(clean[0]);
  }
  return sum;
}

const HOUR_US = 3_600_000_000;

function lnOddsOfCleanUnit(at: Looked, unit: UnitName): readonly number[] {
  const { thetas, onset } = at.beliefs(unit);
  const key = `${unit.family} ${onset.perHour} ${onset.start}`;
  const known = at.clean.get(key) ?? neverFailedOnDevice(at, unit.family, thetas, onset);
  at.clean.set(key, known);
  return known;
}

function neverFailedOnDevice(
  { facts, device, nowUs }: Looked,
  family: Family,
  thetas: readonly number[],
  onset: Onset,
): number[] {
  const ran = exposureOf(facts, device.id, family);
  if (ran === undefined) return neverFailed(thetas, onset, 0, 0);
  const hours = Math.max(0, nowUs - ran.firstRunUs) / HOUR_US;
  return neverFailed(thetas, onset, ran.executions / Math.max(1, device.sms.length), hours);
}

function gpuOddsOf(at: Looked): number {
  return oddsOf(lnTotal(lnOddsOfDevice(at)));
}

/** The newest failures of distinct SMs speak for a defect of the device as a whole; more failures of one SM do not. */
function lnOddsOfDevice({ facts, device, failing, nowUs }: Looked): number[] {
  const { newestUs, families } = totalsOf(failing);
  const beliefs = gpuBeliefs(facts, device, families);
  return lnOddsOfParts([...newestUs.values()], deviceExposure(facts, device.id), beliefs, nowUs);
}

function isAtOnce(facts: Draft, consecutive: number): boolean {
  return consecutive >= configOf(facts).immediateQuarantineFailures;
}

interface Tally {
  hardObservations: number;
  answers: number;
}

function tallyOf(units: readonly UnitState[]): Tally {
  const { counted: hardObservations, answers } = totalsOf(units);
  return { hardObservations, answers };
}

function reasonOf({ hardObservations, answers }: Tally, odds: number, consecutive: number): string {
  const seen = `${plural(hardObservations, 'hard observation')}, ${answers} of them in answer to the first`;
  const inARow = consecutive === 0 ? '' : `, ${consecutive} failing runs in a row`;
  return `${seen}${inARow}: a defect is ${percent(probabilityOf(odds))} likely`;
}

/** What `missingOf` asks besides the odds. */
function suffices({ hardObservations, answers }: Tally): boolean {
  return hardObservations >= NEEDED.observations && answers >= NEEDED.answers;
}

const ANSWER = 'a mismatch in the confirmation burst or the follow-up';

function missingOf({ hardObservations, answers }: Tally, inJobs: boolean, odds: number, needed: number): string {
  if (hardObservations === 0)
    return 'a mismatch that passes the integrity and locality gates, and another in answer to it';
  if (answers < NEEDED.answers) return inJobs ? `${ANSWER}, or in a comparison of a job that is asked for` : ANSWER;
  if (hardObservations < NEEDED.observations) return 'one more hard observation';
  if (odds >= needed) return '';
  const likely = `a defect is ${percent(probabilityOf(odds))} likely and ${percent(probabilityOf(needed))} is needed`;
  return `further mismatches: with so many clean runs between them ${likely}`;
}

/** For people: never 0 % or 100 %. */
function percent(probability: number): string {
  if (probability > 0.9999) return 'more than 99.99 %';
  return probability < 0.0001 ? 'less than 0.01 %' : `${(100 * probability).toFixed(2)} %`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

import { configOf, type Draft } from './draft.js';
import { deviceExposure, exposureOf } from './exposure.js';
import type { DeviceState, Family, UnitName, UnitState } from './model.js';
import { gpuBeliefs, unitBeliefs } from './posterior/beliefs.js';
import { type Causes, causesOf } from './posterior/explanations.js';
import { lnTotal, neverFailed, oddsOf, probabilityOf, sharesOf } from './posterior/recursion.js';
import { lnOddsOfParts } from './posterior/spread.js';
import { lnOddsAt } from './posterior/unit.js';
import { thresholdOdds } from './score.js';

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

/**
 * From evidence to a decision. Pure; the order of arrival across devices and nodes must not matter.
 */
export interface DecisionModel {
  readonly name: string;
  /**
   * @param families those whose evidence may count, as gates ask; null = all
   * @param facts what else is known; only read
   */
  assess(device: DeviceState, families: readonly Family[] | null, nowUs: number, facts: Draft): Assessment;
}

/** Hard observations that a quarantine needs, and those of them in answer to the first. */
const NEEDED = { observations: 2, answers: 1 };

/** Onset of a defect per unit and per device, competing with every other explanation. */
export const posteriorOdds: DecisionModel = {
  name: 'posterior odds of an onset',
  assess(device, families, nowUs, facts) {
    const failing = device.units.filter((unit) => families === null || families.includes(unit.family));
    const at: Looked = { facts, device, nowUs, beliefs: unitBeliefs(facts, device, nowUs) };
    const units = failing.map((unit) => assessUnit(at, unit));
    const gpuOdds = oddsOf(lnTotal(lnOddsOfDevice(facts, device, failing, nowUs)));
    const unitOdds = units.reduce((sum, unit) => sum + unit.odds, 0) + oddsOfTheRest(at, families);
    const odds = Math.min(gpuOdds + unitOdds, Number.MAX_VALUE);
    const tally = tallyOf(failing);
    const config = configOf(facts);
    const needed = thresholdOdds(config).quarantine;
    const consecutive = Math.max(0, ...failing.map((unit) => unit.consecutive));
    const atOnce = consecutive >= config.immediateQuarantineFailures;
    const missing = atOnce ? '' : missingOf(tally, odds, needed);
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

/** A device as it is looked at, and what is believed of its units. */
interface Looked {
  facts: Draft;
  device: DeviceState;
  nowUs: number;
  beliefs: ReturnType<typeof unitBeliefs>;
}

function assessUnit(at: Looked, unit: UnitState): UnitAssessment {
  const beliefs = at.beliefs(unit);
  const lnOdds = unit.posterior === null ? lnOddsOfCleanUnit(at, unit) : lnOddsAt(unit.posterior, beliefs, at.nowUs);
  const odds = oddsOf(lnTotal(lnOdds));
  const shares = sharesOf(lnOdds);
  const held = beliefs.thetas.filter((_, j) => (shares[j] ?? 0) >= 0.01);
  return { family: unit.family, sm: unit.sm, odds, probability: probabilityOf(odds), thetaEff: Math.min(...held) };
}

/** Units that never failed are known by what the device ran. */
function oddsOfTheRest(at: Looked, families: readonly Family[] | null): number {
  const { device } = at;
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

function lnOddsOfCleanUnit({ facts, device, nowUs, beliefs }: Looked, unit: UnitName): number[] {
  const { thetas, onset } = beliefs(unit);
  const ran = exposureOf(facts, device.id, unit.family);
  if (ran === undefined) return neverFailed(thetas, onset, 0, 0);
  const hours = Math.max(0, nowUs - ran.firstRunUs) / HOUR_US;
  return neverFailed(thetas, onset, ran.executions / Math.max(1, device.sms.length), hours);
}

/** The newest failures of distinct SMs speak for a defect of the device as a whole; more failures of one SM do not. */
function lnOddsOfDevice(facts: Draft, device: DeviceState, units: readonly UnitState[], nowUs: number): number[] {
  const newestUs = new Map<number, number>();
  for (const unit of units) {
    if (unit.counted + unit.unlocated === 0) continue;
    newestUs.set(unit.sm, Math.max(newestUs.get(unit.sm) ?? unit.lastUs, unit.lastUs));
  }
  const beliefs = gpuBeliefs(facts, device, [...new Set(units.map((unit) => unit.family))]);
  return lnOddsOfParts([...newestUs.values()], deviceExposure(facts, device.id), beliefs, nowUs);
}

interface Tally {
  hardObservations: number;
  answers: number;
}

function tallyOf(units: readonly UnitState[]): Tally {
  const sum = (of: (unit: UnitState) => number): number => units.reduce((total, unit) => total + of(unit), 0);
  return { hardObservations: sum((unit) => unit.counted), answers: sum((unit) => unit.answers) };
}

function reasonOf({ hardObservations, answers }: Tally, odds: number, consecutive: number): string {
  const seen = `${plural(hardObservations, 'hard observation')}, ${answers} of them in answer to the first`;
  const inARow = consecutive === 0 ? '' : `, ${consecutive} failing runs in a row`;
  return `${seen}${inARow}: a defect is ${percent(probabilityOf(odds))} likely`;
}

function missingOf({ hardObservations, answers }: Tally, odds: number, needed: number): string {
  if (hardObservations === 0)
    return 'a mismatch that passes the integrity and locality gates, and another in answer to it';
  if (answers < NEEDED.answers) return 'a mismatch in the confirmation burst or the follow-up';
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

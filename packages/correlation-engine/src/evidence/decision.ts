import type { UnitState } from './model.js';

/** What the evidence of a device amounts to. */
export interface Assessment {
  /** Posterior odds that the device has a defect: finite, >= 0; 0 = no evidence. The displayed score is made from them. */
  odds: number;
  /** The evidence asks for QUARANTINE, if gates 3-7 let it. */
  quarantine: boolean;
  hardObservations: number;
  answers: number;
  /** One sentence: how the decision stands. */
  reason: string;
  /** What is still needed for QUARANTINE; '' = nothing. */
  missing: string;
}

/**
 * From evidence to a decision. Pure; the order of arrival across devices and nodes must not matter. Gates pass subsets of a
 * device's units (those of qualified families), so `assess` must answer for any list of units.
 */
export interface DecisionModel {
  readonly name: string;
  assess(units: readonly UnitState[]): Assessment;
}

/** Odds at which a quarantine is due: P = 0.95. */
export const QUARANTINE_ODDS = 19;
/** One exact mismatch that passed the gates: as likely a transient as a defect. P = 0.5, displayed score below 0.95. */
export const UNCONFIRMED_ODDS = 1;
/** A mismatch that no sibling could check, or that an incident explained: P = 0.43, the displayed score just below 0.95. */
export const UNLOCATED_ODDS = 0.75;

/**
 * Two hard observations, of which at least one was taken in answer to the first: a run of the burst or of the follow-up.
 * The agent's own rerun and the sibling runs count as observations, never as the answer.
 *
 * The rule knows no posterior, so its odds say only which of four situations holds: 0 without evidence, 0.75 and 1 as above,
 * and once the rule is met the threshold of 19 times the number of observations.
 */
export const twoObservations: DecisionModel = {
  name: 'two observations, one in answer',
  assess(units) {
    const hardObservations = sum(units, (unit) => unit.counted);
    const answers = sum(units, (unit) => unit.answers);
    const quarantine = hardObservations >= 2 && answers >= 1;
    return {
      odds: ruleOdds(units, hardObservations, quarantine),
      quarantine,
      hardObservations,
      answers,
      reason: `${plural(hardObservations, 'hard observation')}, ${answers} of them in answer to the first (a quarantine needs 2, 1 of them in answer)`,
      missing: missing(hardObservations, answers),
    };
  },
};

function ruleOdds(units: readonly UnitState[], hardObservations: number, quarantine: boolean): number {
  if (quarantine) return QUARANTINE_ODDS * hardObservations;
  if (hardObservations > 0) return UNCONFIRMED_ODDS;
  return units.some((unit) => unit.unlocated + unit.excused > 0) ? UNLOCATED_ODDS : 0;
}

function missing(hardObservations: number, answers: number): string {
  if (hardObservations === 0)
    return 'a mismatch that passes the integrity and locality gates, and another in answer to it';
  if (answers === 0) return 'a mismatch in the confirmation burst or the follow-up';
  return hardObservations < 2 ? 'one more hard observation' : '';
}

function sum(units: readonly UnitState[], of: (unit: UnitState) => number): number {
  return units.reduce((total, unit) => total + of(unit), 0);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

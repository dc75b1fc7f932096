import { RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import type { ExplainDecisionResponse, Observation } from '@sentinel/contracts/sentinel/v1/health.js';
import {
  bitNumbers,
  count,
  differing,
  familyName,
  injectedMark,
  kindName,
  paint,
  time,
  word,
  words,
} from './format.js';
import { hang } from './wrap.js';

const SHOWN = 5;

type Evidence = Pick<ExplainDecisionResponse, 'observations' | 'units'>;

/** Wrong results as they were seen, newest first; those that counted and are not held against the device any more say so. */
export function observationLines({ observations, units }: Evidence, shown = SHOWN): string[] {
  const held = heldNow({ observations, units });
  const lines = observations.slice(0, shown).flatMap((seen) => observationText(seen, held.has(seen)));
  const more = observations.length - shown;
  return more > 0 ? [...lines, `  … and ${more} more: --output json has them`] : lines;
}

/** Of each unit the newest ones, as many as the engine counts: a reinstatement or an incident answered for the others. */
function heldNow({ observations, units }: Evidence): ReadonlySet<Observation> {
  const left = new Map(units.map((unit) => [unitKey(unit), unit.counted]));
  return new Set(
    observations.filter((seen) => {
      const more = seen.counted ? (left.get(unitKey(seen)) ?? 0) : 0;
      left.set(unitKey(seen), more - 1);
      return more > 0;
    }),
  );
}

function unitKey({ family, sm }: Pick<Observation, 'family' | 'sm'>): string {
  return `${family} ${sm}`;
}

function verdictOf({ counted, heldBy }: Observation, isHeld: boolean): string {
  if (!counted) return `held by ${heldBy}`;
  return isHeld ? 'counted' : 'counted then, not now';
}

function observationText(seen: Observation, isHeld: boolean): string[] {
  if (seen.kind === RunKind.JOB) return lostText(seen, isHeld);
  const facts = [
    `${familyName(seen.family)} on ${smOf(seen)}, ${kindName(seen.kind)}, ${verdictOf(seen, isHeld)}`,
    siblings(seen),
    injectedMark(seen.injected),
  ];
  const place = `seed epoch ${seen.epoch} index ${seen.index}, ${placeOf(seen)}; ${count(seen.mismatchCount)} wrong in this execution`;
  return [
    ...hang(`  ${time(seen.timeUs)}  `, facts.filter((part) => part !== '').join('; ')),
    ...hang('    ', place),
    ...(seen.operands.length === 0 ? [] : hang('    operands ', words(seen.operands))),
    ...differenceLines(seen),
  ];
}

/** A comparison in a job: no probe, no seed, no SM. */
function lostText(seen: Observation, isHeld: boolean): string[] {
  const { siblingsPassed, siblingsRun, expected, actual } = seen;
  const others = `${siblingsPassed} of ${siblingsRun} other devices had the same bits`;
  const facts = [`outvoted in a job, ${verdictOf(seen, isHeld)}`, others, injectedMark(seen.injected)];
  const digest = (all: readonly number[]): string => all.map(word).join(' ');
  return [
    ...hang(`  ${time(seen.timeUs)}  `, facts.filter((part) => part !== '').join('; ')),
    ...hang('    ', `digest of the others ${digest(expected)}, of this device ${paint('red', digest(actual))}`),
  ];
}

function smOf({ sm, subPartition, kind, siblingsRun, siblingsPassed }: Observation): string {
  // Two other devices outvoted it: the SM that is named stands for all of them.
  if (kind === RunKind.CANARY && siblingsRun > 0 && siblingsPassed === 0) return 'all SMs that ran';
  return subPartition === undefined ? `SM ${sm}` : `SM ${sm}, sub-partition ${subPartition}`;
}

/** A GPU compares every so many iterations; a CPU names the one. */
function placeOf({ lane, iteration, withinIterations }: Observation): string {
  if (withinIterations === undefined) return `lane ${lane}, iteration ${iteration}`;
  return `lane ${lane}, within iterations ${iteration}..${iteration + withinIterations - 1}`;
}

function siblings(seen: Observation): string {
  if (seen.siblingsRun === 0) return 'no sibling SM ran the seed';
  const same = seen.siblingsSameDigest > 0 ? `, ${seen.siblingsSameDigest} gave the same wrong digest` : '';
  return `${seen.siblingsPassed} of ${seen.siblingsRun} sibling SMs passed${same}`;
}

/** Only the words that are wrong, each with its bits. */
function differenceLines(seen: Observation): string[] {
  const { expected, actual } = seen;
  return differing(expected, actual).flatMap((bits, i) => {
    if (bits === 0) return [];
    const got = paint('red', word(actual[i] ?? 0));
    const text = `expected ${word(expected[i] ?? 0)}, got ${got}, differing bits ${word(bits)} (${bitNumbers(bits).join(' ')})`;
    return hang(`    ${nameOfWord(seen, i)}: `, text);
  });
}

/** A GPU compares digests of lanes, and where it compares words of memory it says which. */
function nameOfWord({ withinIterations, address }: Observation, i: number): string {
  if (address !== undefined) return `word at byte ${address}`;
  return withinIterations === undefined ? `word ${i}` : 'digest of the lane';
}

/** A wrong result as tests/interop/recompute_mismatch.py reads it, to be recomputed from the seed by whoever doubts it. */
export interface Mismatch {
  readonly family: string;
  readonly epoch: number;
  readonly index: number;
  readonly lane: number;
  readonly iteration: number;
  readonly operands: readonly number[];
  readonly expected: readonly number[];
  readonly actual: readonly number[];
  readonly differing_bits: readonly number[];
}

export function mismatchOf(seen: Observation): Mismatch {
  const { epoch, index, lane, iteration, operands, expected, actual } = seen;
  const family = familyName(seen.family);
  return {
    family,
    epoch,
    index,
    lane,
    iteration,
    operands,
    expected,
    actual,
    differing_bits: differing(expected, actual),
  };
}

import { JOB } from './families.js';
import type { Family } from './model/terms.js';
import type { UnitState } from './model/unit.js';

/** What the failing units of one family amount to. */
interface FamilySum {
  readonly family: Family;
  answers: number;
  unlocated: number;
  isFailing: boolean;
  isHeld: boolean;
}

/** The same of one SM. */
interface SmSum {
  counted: number;
  /** null = there is nothing against it. */
  newestUs: number | null;
}

/** What the failing units of a device amount to together. Families in the order of their first unit. */
export interface UnitTotals {
  /** Hard observations, and those in answer to the first. */
  readonly counted: number;
  readonly answers: number;
  /** Most failing runs in a row. */
  readonly consecutive: number;
  /** The unit that was accused most often; undefined = none failed. */
  readonly mostAccused: UnitState | undefined;
  /** The SM with most hard observations; undefined = there are none. */
  readonly worstSm: { readonly sm: number; readonly counted: number } | undefined;
  /** Of all units; of those with hard observations; of those with anything against them that nobody has answered for. */
  readonly families: readonly Family[];
  readonly failing: readonly Family[];
  readonly held: readonly Family[];
  /** By family: wrong answers, and what no other SM could check. */
  readonly answered: ReadonlyMap<Family, { readonly answers: number; readonly unlocated: number }>;
  /** SMs with something against them, and the newest failure on each. */
  readonly newestUs: ReadonlyMap<number, number>;
}

/** Lists of units are replaced, never changed: what was found in one stays true. */
const known = new WeakMap<readonly UnitState[], UnitTotals>();

/** A record of a device asks a dozen times, and thousands of its units may have failed: looked through once for each list. */
export function totalsOf(units: readonly UnitState[]): UnitTotals {
  const found = known.get(units) ?? add(units);
  known.set(units, found);
  return found;
}

/** Those of some families: the list itself where that is all of them, and the same list for the same question. */
export function unitsOf(units: readonly UnitState[], families: readonly Family[] | null): readonly UnitState[] {
  if (families === null || totalsOf(units).families.every((family) => families.includes(family))) return units;
  const found = parts.get(units) ?? new Map<string, readonly UnitState[]>();
  parts.set(units, found);
  const key = families.join(' ');
  const part = found.get(key) ?? units.filter(({ family }) => families.includes(family));
  found.set(key, part);
  return part;
}

const parts = new WeakMap<readonly UnitState[], Map<string, readonly UnitState[]>>();

function add(units: readonly UnitState[]): UnitTotals {
  let [counted, answers, consecutive] = [0, 0, 0];
  let mostAccused: UnitState | undefined;
  let worstSm: UnitTotals['worstSm'];
  const failing: Family[] = [];
  const held: Family[] = [];
  const families = new Map<Family, FamilySum>();
  const sms = new Map<number, SmSum>();
  for (const unit of units) {
    const family = familyIn(families, unit.family);
    // A job is on no SM.
    const sm = unit.family === JOB ? { counted: 0, newestUs: null } : smIn(sms, unit.sm);
    counted += unit.counted;
    answers += unit.answers;
    family.answers += unit.answers;
    family.unlocated += unit.unlocated;
    if (unit.consecutive > consecutive) consecutive = unit.consecutive;
    if (mostAccused === undefined || unit.accused > mostAccused.accused) mostAccused = unit;
    if (unit.counted > 0) {
      sm.counted += unit.counted;
      if (unit.family !== JOB && sm.counted > (worstSm?.counted ?? 0)) worstSm = { sm: unit.sm, counted: sm.counted };
      if (!family.isFailing) failing.push(unit.family);
      family.isFailing = true;
    }
    if (unit.counted + unit.unlocated > 0) sm.newestUs = Math.max(sm.newestUs ?? unit.lastUs, unit.lastUs);
    else if (unit.excused === 0) continue;
    if (!family.isHeld) held.push(unit.family);
    family.isHeld = true;
  }
  const sums = [...families.values()];
  return {
    counted,
    answers,
    consecutive,
    mostAccused,
    worstSm,
    families: sums.map(({ family }) => family),
    failing,
    held,
    answered: new Map(sums.map((sum) => [sum.family, { answers: sum.answers, unlocated: sum.unlocated }])),
    newestUs: new Map([...sms].flatMap(([sm, { newestUs }]) => (newestUs === null ? [] : [[sm, newestUs]]))),
  };
}

function familyIn(families: Map<Family, FamilySum>, family: Family): FamilySum {
  const known = families.get(family);
  if (known !== undefined) return known;
  const sum = { family, answers: 0, unlocated: 0, isFailing: false, isHeld: false };
  families.set(family, sum);
  return sum;
}

function smIn(sms: Map<number, SmSum>, sm: number): SmSum {
  const known = sms.get(sm);
  if (known !== undefined) return known;
  const sum = { counted: 0, newestUs: null };
  sms.set(sm, sum);
  return sum;
}

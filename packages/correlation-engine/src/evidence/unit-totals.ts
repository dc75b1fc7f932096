import type { Family } from './model/terms.js';
import type { UnitState } from './model/unit.js';

interface Answered {
  answers: number;
  unlocated: number;
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
  readonly answered: ReadonlyMap<Family, Readonly<Answered>>;
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

function add(units: readonly UnitState[]): UnitTotals {
  let [counted, answers, consecutive] = [0, 0, 0];
  let mostAccused: UnitState | undefined;
  const [families, failing, held] = [[] as Family[], [] as Family[], [] as Family[]];
  const answered = new Map<Family, Answered>();
  const newestUs = new Map<number, number>();
  const countedOn = new Map<number, number>();
  let worstSm: UnitTotals['worstSm'];
  for (const unit of units) {
    const { family, sm } = unit;
    counted += unit.counted;
    answers += unit.answers;
    if (unit.consecutive > consecutive) consecutive = unit.consecutive;
    if (mostAccused === undefined || unit.accused > mostAccused.accused) mostAccused = unit;
    include(families, family);
    const told = of(answered, family);
    told.answers += unit.answers;
    told.unlocated += unit.unlocated;
    if (unit.counted > 0) {
      include(failing, family);
      const onSm = (countedOn.get(sm) ?? 0) + unit.counted;
      countedOn.set(sm, onSm);
      if (onSm > (worstSm?.counted ?? 0)) worstSm = { sm, counted: onSm };
    }
    if (unit.counted + unit.unlocated + unit.excused > 0) include(held, family);
    if (unit.counted + unit.unlocated > 0) newestUs.set(sm, Math.max(newestUs.get(sm) ?? unit.lastUs, unit.lastUs));
  }
  return { counted, answers, consecutive, mostAccused, worstSm, families, failing, held, answered, newestUs };
}

function of(answered: Map<Family, Answered>, family: Family): Answered {
  let told = answered.get(family);
  if (told === undefined) {
    told = { answers: 0, unlocated: 0 };
    answered.set(family, told);
  }
  return told;
}

/** A device has few families. */
function include(list: Family[], family: Family): void {
  if (!list.includes(family)) list.push(family);
}

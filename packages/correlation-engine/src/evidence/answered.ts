import type { UnitState } from './model/unit.js';

/** A unit whose wrong results are answered for: nothing is counted of it any more, and its odds stay. */
export function answered({ setAside: _, ofWholeDevice: __, ...unit }: UnitState): UnitState {
  return {
    ...unit,
    counted: 0,
    answers: 0,
    accused: 0,
    unlocated: 0,
    excused: 0,
    epoch: 0,
    index: 0,
    digest: 0,
    clean: 0,
    deepTestClean: 0,
    deepTestOther: 0,
    consecutive: 0,
  };
}

import { familyName } from './families.js';
import type { UnitState } from './model/unit.js';

/** For a person: `fma32 on SM 1`. Where a device lost a canary as a whole, no SM is named. */
export function unitName({ family, sm, ofWholeDevice }: Pick<UnitState, 'family' | 'sm' | 'ofWholeDevice'>): string {
  return `${familyName(family)} on ${ofWholeDevice === true ? 'the device as a whole' : `SM ${sm}`}`;
}

import { familyName, JOB } from './families.js';
import type { UnitState } from './model/unit.js';

/** For a person: `fma32 on SM 1`. Where a device lost a canary as a whole, or a comparison in a job, no SM is named. */
export function unitName({ family, sm, ofWholeDevice }: Pick<UnitState, 'family' | 'sm' | 'ofWholeDevice'>): string {
  if (family === JOB) return 'the device as a whole in a job';
  return `${familyName(family)} on ${ofWholeDevice === true ? 'the device as a whole' : `SM ${sm}`}`;
}

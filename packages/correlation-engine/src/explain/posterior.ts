import type { Assessment } from '../evidence/decision.js';
import { familyName, JOB } from '../evidence/families.js';
import type { DeviceState } from '../evidence/model/device.js';
import type { Cause } from '../evidence/posterior/explanations.js';

/** Units that one sentence each is made for. */
const MAX_UNITS_NAMED = 3;
/** Explanations that are less likely are not worth a word. */
const WORTH_NAMING = 1e-4;
/** From here on a fault of the node or of software changes what a reader should think. */
const WORTH_SAYING = 0.01;

export interface CauseProbability {
  cause: Cause;
  probability: number;
}

/** What may be behind the wrong results, likeliest first; [] without any. */
export function causesOfFailures(device: DeviceState, { causes }: Assessment): CauseProbability[] {
  if (device.units.length === 0) return [];
  const all = Object.entries(causes) as [Cause, number][];
  return all.map(([cause, probability]) => ({ cause, probability })).sort((a, b) => b.probability - a.probability);
}

/** The units that failed and what is behind it, as sentences. */
export function posteriorSentences(device: DeviceState, assessment: Assessment): string[] {
  const [likeliest, ...others] = causesOfFailures(device, assessment);
  if (likeliest === undefined) return [];
  const named = others.filter(({ probability }) => probability >= WORTH_NAMING);
  const rest = named.map(({ cause, probability }) => `${CAUSE_TEXT[cause]} ${percent(probability)}`).join(', ');
  const best = `Likeliest explanation: ${CAUSE_TEXT[likeliest.cause]}, ${percent(likeliest.probability)}`;
  return [
    ...unitSentences(device, assessment),
    ...allWeighed(assessment),
    `${best}${rest === '' ? '' : ` (${rest})`}.`,
  ];
}

/** What decides weighs a defect against chance; gates 5 and 6 weigh the rest. A reader is told where that makes a difference. */
function allWeighed({ causes }: Assessment): string[] {
  if (causes.node + causes.cohort < WORTH_SAYING) return [];
  const own = percent(causes.unit + causes.gpu);
  return [
    `That is against passing faults alone: with its node and software weighed too, a defect of this device is ${own} likely.`,
  ];
}

function unitSentences(device: DeviceState, { units }: Assessment): string[] {
  const ofProbes = units.filter(({ family }) => family !== JOB);
  const likeliest = ofProbes.toSorted((a, b) => b.odds - a.odds).slice(0, MAX_UNITS_NAMED);
  return likeliest.flatMap(({ family, sm }) => {
    const unit = device.units.find((entry) => entry.family === family && entry.sm === sm);
    if (unit === undefined || unit.posterior === null) return [];
    const clean = Math.floor(unit.posterior.same + unit.posterior.other);
    const wrong = unit.accused === 1 ? '1 wrong result' : `${unit.accused} wrong results`;
    return `${familyName(family)} on SM ${sm}: ${wrong}, ${clean} clean executions since the last.`;
  });
}

const CAUSE_TEXT: Readonly<Record<Cause, string>> = {
  chance: 'passing faults of healthy hardware',
  unit: 'a defect of single units of this device',
  gpu: 'a defect of the device as a whole',
  node: 'a fault of its node (power, cooling, memory)',
  cohort: 'software that devices of its kind share',
};

/** For people: never 0 % or 100 %. */
export function percent(probability: number): string {
  if (probability > 0.9999) return 'more than 99.99 %';
  return probability < 0.0001 ? 'less than 0.01 %' : `${(100 * probability).toFixed(2)} %`;
}

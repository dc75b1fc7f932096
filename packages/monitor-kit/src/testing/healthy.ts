import type { Random } from './random.js';

/** Samples of one GPU-day: one in four seconds. */
export const SAMPLES_A_DAY = 21_600;

/** Share of a standard deviation by which the level moves with the hour. */
const DIURNAL = 0.3;

/** What one rank adds in a sample; `common` is what all ranks see of the hour. */
export interface Process {
  readonly name: string;
  /** Standard deviation of the series. */
  readonly sigma: number;
  series(random: Random): (sample: number) => number;
  /** Of all ranks at once. */
  common(sample: number): number;
}

const none = () => 0;

/** Healthy series of the kinds that monitors meet. */
export const HEALTHY: readonly Process[] = [
  { name: 'normal', sigma: 1, series: (random) => () => random.normal(), common: none },
  { name: 't4', sigma: Math.SQRT2, series: (random) => () => random.t4(), common: none },
  {
    name: 'lognormal',
    sigma: Math.sqrt(Math.E * (Math.E - 1)),
    series: (random) => () => Math.exp(random.normal()),
    common: none,
  },
  {
    name: 'ar',
    sigma: 1 / Math.sqrt(0.75),
    series: (random) => {
      let last = 0;
      return () => {
        last = 0.5 * last + random.normal();
        return last;
      };
    },
    common: none,
  },
  {
    name: 'diurnal',
    sigma: 1,
    series: (random) => () => random.normal(),
    common: (sample) => DIURNAL * Math.sin((2 * Math.PI * sample) / SAMPLES_A_DAY),
  },
];

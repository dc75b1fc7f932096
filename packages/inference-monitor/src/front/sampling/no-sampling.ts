import type { Sampling } from './plan.js';

/** Lets everything through unseen. */
export const NO_SAMPLING: Sampling = {
  draw: () => false,
  admit: () => null,
  plan: () => null,
  forget: () => undefined,
  doubt: () => undefined,
};

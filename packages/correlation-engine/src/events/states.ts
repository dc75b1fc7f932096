import type { HealthState } from '../core.js';

/** In the order of their numbers in `sentinel_gpu_state`, which begin at 1. */
export const STATES: readonly HealthState[] = ['HEALTHY', 'SUSPECT', 'QUARANTINED', 'DEEP_TEST', 'CONDEMNED'];

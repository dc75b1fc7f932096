// The two addons, for every test here.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { addonPath } from '../index.js';

const load = createRequire(import.meta.url);

export const probes = load(addonPath({ test: false }));
export const testProbes = load(addonPath({ test: true }));
export const { cpus } = probes.info();
export const goldenCpus = cpus.slice(0, 2);
export const families = probes
  .info()
  .families.filter((family) => family.available)
  .map((family) => family.name);
export const oracle = join(dirname(import.meta.dirname), '..', 'tests', 'interop', 'recompute_mismatch.py');

let nextEpoch = 1;

/** A run on every CPU with operands that no other run of this process has. */
export function fresh(family, rest = {}) {
  return { family, epoch: nextEpoch++, index: process.pid, sms: cpus, goldenCpus, ...rest };
}

/** Runs `body` with faults in place, and removes them whatever happens. */
export function withFaults(faults, body) {
  try {
    for (const fault of faults) testProbes.inject(fault);
    return body();
  } finally {
    testProbes.inject(null);
  }
}

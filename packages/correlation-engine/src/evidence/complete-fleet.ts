import type { FleetFacts } from './model/fleet.js';

/** Facts of the fleet that may come from an earlier release, or from none (null). */
export function completeFleet(fleet: FleetFacts | null): FleetFacts {
  const none: FleetFacts = {
    automaticQuarantinesUs: [],
    failing: {},
    incidents: [],
    reviewUs: null,
    confirmed: {},
    rates: { dueUs: null, cohorts: {}, years: {} },
    soft: { sources: {}, jobs: {} },
  };
  // Earlier releases kept incidents by cohort and without names: they open again with the next node that fails.
  const incidents = Array.isArray(fleet?.incidents) ? fleet.incidents : [];
  return { ...none, ...fleet, incidents };
}

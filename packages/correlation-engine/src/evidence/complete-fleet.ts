import type { FleetFacts } from './model.js';

/** Facts of the fleet that may come from an earlier release, or from none (null). */
export function completeFleet(fleet: FleetFacts | null): FleetFacts {
  const none = {
    automaticQuarantinesUs: [],
    breadth: {},
    incidents: {},
    reviewUs: null,
    confirmed: {},
    rates: { dueUs: null, cohorts: {}, years: {} },
  };
  return { ...none, ...fleet };
}

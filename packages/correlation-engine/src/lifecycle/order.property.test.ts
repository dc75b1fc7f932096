import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { configWith } from '../evidence/testing/config.js';
import { Fleet, SECOND_US } from './testing/fleet.js';
import { type Happening, happen, NODES, outcome } from './testing/story.js';

type Report = Extract<Happening, { what: 'runs' | 'ordered' }>;

const node = fc.nat(NODES.length - 1);
const failing = fc.record({
  sm: fc.nat(3),
  siblings: fc.constantFrom([3, 3, 0], [3, 3, 0], [3, 2, 0], [3, 0, 2], [0, 0, 0]),
  actualDigest: fc.constantFrom(7, 8),
});

const report: fc.Arbitrary<Report> = fc.oneof(
  fc.record({ node, failing }).map(({ node, failing: { sm, siblings, actualDigest } }) => {
    const [siblingsRun = 0, siblingsPassed = 0, siblingsSameDigest = 0] = siblings;
    const fails = [{ sm, actualDigest, siblingsRun, siblingsPassed, siblingsSameDigest }];
    return { what: 'runs' as const, node, runs: [{ fails }] };
  }),
  fc.record({
    what: fc.constant('ordered' as const),
    node,
    directive: fc.nat(1),
    count: fc.constantFrom(1, 3),
    fails: fc.constantFrom(true, true, false),
    loud: fc.constantFrom(false, false, true),
    ran: fc.constantFrom(true, true, false),
  }),
);

/**
 * All reports arrive while the fleet waits in the dwell; afterwards decisions are made. Once an incident of software is open less is asked
 * of devices, so that what they still answer depends on when it opened: then decisions are compared, otherwise all that is known.
 */
function arrive(nodes: number, reports: readonly Report[]): { incidents: number; outcome: unknown } {
  const fleet = new Fleet(configWith({ rate_limit: { hour_min: 99, hour_fraction: 0, day_min: 99, day_fraction: 0 } }));
  for (const name of NODES.slice(0, nodes)) fleet.hello(name);
  for (const event of reports) happen(fleet, event);
  fleet.advance(1200 * SECOND_US);
  const incidents = fleet.state.fleet.incidents.length;
  const states = [...fleet.state.devices.values()].map(({ id, state }) => [id, state]);
  return { incidents, outcome: incidents > 0 ? states : outcome(fleet) };
}

test('the order in which reports of different nodes arrive does not change the outcome', () => {
  const few = fc.integer({ min: 1, max: NODES.length });
  let [quarantines, incidents] = [0, 0];
  fc.assert(
    fc.property(few, fc.array(report, { minLength: 1, maxLength: 16, size: 'max' }), (nodes, mixed) => {
      const reports = mixed.filter((event) => event.node < nodes);
      const oneByOne = reports.toSorted((a, b) => a.node - b.node);
      const backwards = reports.toSorted((a, b) => b.node - a.node);
      const expected = arrive(nodes, reports);
      assert.deepEqual(arrive(nodes, oneByOne), expected);
      assert.deepEqual(arrive(nodes, backwards), expected);
      if (JSON.stringify(expected).includes('QUARANTINED')) quarantines += 1;
      if (expected.incidents > 0) incidents += 1;
    }),
    { numRuns: 200 },
  );
  assert.ok(quarantines > 3, `only ${quarantines} stories decided anything`);
  assert.ok(incidents > 3 && incidents < 150, `${incidents} stories with an incident`);
});

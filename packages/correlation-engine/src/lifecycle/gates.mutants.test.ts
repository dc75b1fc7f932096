import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_GATES, type Gates } from '../evidence/gates/outcome.js';
import { type GateName, RunFlag, RunKind } from '../evidence/model/terms.js';
import { CLEAN_FLAGS, type RunSpec } from '../evidence/testing/batches.js';
import { configWith, NO_QUARANTINES } from '../evidence/testing/config.js';
import { describe, deviceIdOf, Fleet, SECOND_US, without } from './testing/fleet.js';

// Each story is one that its gate alone keeps from a quarantine: without the gate the device is taken out.

/** Two mismatches by the schedule, then one in every directive that they led to. */
function fail(fleet: Fleet, node: string, run: RunSpec = {}, device = deviceIdOf(node)): void {
  const sm = run.fails?.[0]?.sm ?? 1;
  const failing: RunSpec = { device, fails: [{ sm }], ...run };
  fleet.batch(node, [failing, { ...failing, index: 1 }]);
  const burst = fleet.device(device).directives.find((entry) => entry.status === 'open' && entry.sm === sm);
  if (burst === undefined) return;
  fleet.batch(node, [{ ...failing, index: 2, kind: RunKind.BURST, single: sm, directive: burst.id }]);
}

const stories: Record<GateName, (gates: Gates) => Fleet> = {
  integrity(gates) {
    const fleet = new Fleet(undefined, gates);
    fleet.hello('n1');
    fail(fleet, 'n1', { flags: CLEAN_FLAGS | RunFlag.LOUD_FAULT });
    return fleet;
  },
  locality(gates) {
    const fleet = new Fleet(undefined, gates);
    fleet.hello('n1');
    fail(fleet, 'n1', { fails: [{ sm: 1, siblingsPassed: 1, siblingsSameDigest: 2 }] });
    return fleet;
  },
  cohort(gates) {
    const fleet = new Fleet(undefined, gates);
    const device = describe(deviceIdOf('n1'));
    const families = device.families.map((family) => ({ ...family, selfTestSmsPassed: 1 }));
    fleet.hello('n1', { devices: [{ ...device, families }] });
    fail(fleet, 'n1');
    return fleet;
  },
  dwell(gates) {
    const fleet = new Fleet(configWith({ dwell_small_seconds: 3600 }), gates);
    fleet.hello('n1');
    fail(fleet, 'n1');
    return fleet;
  },
  breadth(gates) {
    const fleet = new Fleet(configWith({ dwell_seconds: 10 }), gates);
    const nodes = ['n1', 'n2', 'n3'];
    for (const node of nodes) fleet.hello(node);
    for (const node of nodes) fail(fleet, node);
    return fleet;
  },
  node(gates) {
    const fleet = new Fleet(undefined, gates);
    fleet.hello('n1', { devices: [describe(deviceIdOf('n1')), describe('GPU-b')] });
    fail(fleet, 'n1');
    fail(fleet, 'n1', {}, 'GPU-b');
    return fleet;
  },
  'rate-limit'(gates) {
    const fleet = new Fleet(configWith({ rate_limit: NO_QUARANTINES }), gates);
    fleet.hello('n1');
    fail(fleet, 'n1');
    return fleet;
  },
};

for (const name of ALL_GATES) {
  const stateWith = (gates: Gates) => {
    const fleet = stories[name](gates);
    fleet.advance(11 * SECOND_US);
    return fleet.device(deviceIdOf('n1')).state;
  };
  test(`without gate ${name} a device is quarantined that must not be`, () => {
    assert.notEqual(stateWith(ALL_GATES), 'QUARANTINED');
    assert.equal(stateWith(without(name)), 'QUARANTINED');
  });
}

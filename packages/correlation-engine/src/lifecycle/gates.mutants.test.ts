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

/** A device that lost two rounds of a job, the second of which was asked for because of the first. */
function loseInJob(fleet: Fleet, gpus: readonly string[], gpu: string, node: string): void {
  const answers = [...gpus, 'GPU-x', 'GPU-y', 'GPU-z'].map((id, rank) => ({
    ...{ node, gpu: id, rank, again: false },
    digest: id === gpu ? 'bb' : 'aa',
  }));
  for (const asked of [false, true])
    fleet.commit({
      ...{ kind: 'comparison', node, gpus: [gpu], source: 'training-monitor/replay', type: 'REPLAY_MISMATCH' },
      ...{ timeUs: fleet.nowUs, job: `job of ${gpu}`, jobGpus: answers.length, rank: 0, step: Number(asked), answers },
      ...{ agreedBefore: 0, asked, buildId: 'monitor-1', testBuild: false },
    });
}

/** Gates that a job goes through as probes do: the others ask about goldens and SMs, which it has none of. */
const storiesOfJobs: Partial<Record<GateName, (gates: Gates) => Fleet>> = {
  dwell(gates) {
    const fleet = new Fleet(configWith({ dwell_small_seconds: 3600 }), gates);
    fleet.hello('n1');
    loseInJob(fleet, [deviceIdOf('n1')], deviceIdOf('n1'), 'n1');
    return fleet;
  },
  breadth(gates) {
    const fleet = new Fleet(configWith({ dwell_seconds: 10 }), gates);
    const nodes = ['n1', 'n2', 'n3'];
    for (const node of nodes) fleet.hello(node);
    for (const node of nodes) loseInJob(fleet, nodes.map(deviceIdOf), deviceIdOf(node), node);
    return fleet;
  },
  node(gates) {
    const fleet = new Fleet(undefined, gates);
    fleet.hello('n1', { devices: [describe(deviceIdOf('n1')), describe('GPU-b')] });
    for (const gpu of [deviceIdOf('n1'), 'GPU-b']) loseInJob(fleet, [deviceIdOf('n1'), 'GPU-b'], gpu, 'n1');
    return fleet;
  },
  'rate-limit'(gates) {
    const fleet = new Fleet(configWith({ rate_limit: NO_QUARANTINES }), gates);
    fleet.hello('n1');
    loseInJob(fleet, [deviceIdOf('n1')], deviceIdOf('n1'), 'n1');
    return fleet;
  },
};

for (const [name, story] of Object.entries(storiesOfJobs) as [GateName, (gates: Gates) => Fleet][]) {
  test(`without gate ${name} a device is quarantined because of its jobs that must not be`, () => {
    const states = [ALL_GATES, without(name)].map((gates) => {
      const fleet = story(gates);
      fleet.advance(11 * SECOND_US);
      return fleet.device(deviceIdOf('n1')).state;
    });
    assert.deepEqual(states, ['SUSPECT', 'QUARANTINED']);
  });
}

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

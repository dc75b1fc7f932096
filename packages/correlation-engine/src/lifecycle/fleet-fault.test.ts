import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_FAILING_NODES } from '../evidence/failing.js';
import { ALL_GATES, type Gates } from '../evidence/gates/outcome.js';
import { FMA32 } from '../evidence/testing/batches.js';
import { configWith } from '../evidence/testing/config.js';
import { describe, Fleet, SECOND_US, without } from './testing/fleet.js';

// A fault of software on 500 nodes with 2,000 devices, as it comes to the engine: through hellos and batches.

const NODES = 500;
const DEVICES = 4;
const MINUTE_US = 60 * SECOND_US;
// Real time between two timers is of no interest here, and neither is what is done in answer to each mismatch.
const CONFIG = configWith({ burst_executions: 10 });

const nameOf = (node: number) => `n${node}`;
const idsOf = (node: number) => Array.from({ length: DEVICES }, (_, i) => `GPU-${node}-${i}`);

function started(gates = ALL_GATES): Fleet {
  const fleet = new Fleet(CONFIG, gates);
  for (let node = 0; node < NODES; node += 1)
    fleet.hello(nameOf(node), { devices: idsOf(node).map((id) => describe(id)) });
  for (let node = 0; node < NODES; node += 1)
    fleet.batch(
      nameOf(node),
      idsOf(node).map((device) => ({ device })),
    );
  fleet.advance(3600 * SECOND_US);
  return fleet;
}

type Digest = (device: string, execution: number) => number;

/** These devices fail on one SM now, and then in each burst that is asked of it. */
function fail(fleet: Fleet, node: number, devices: readonly string[], digest: Digest): void {
  const epoch = Math.floor(fleet.nowUs / (10 * SECOND_US));
  const failing = (device: string, execution: number) => ({
    device,
    epoch,
    fails: [{ sm: 1, actualDigest: digest(device, execution) }],
  });
  fleet.batch(
    nameOf(node),
    devices.map((device) => failing(device, 0)),
  );
  const answers = devices.flatMap((device) => {
    const burst = fleet
      .device(device)
      .directives.find(({ kind, status, sm }) => kind === 'burst' && status === 'open' && sm === 1);
    return burst === undefined ? [] : [{ ...failing(device, 1), kind: 2, index: 1, single: 1, directive: burst.id }];
  });
  if (answers.length > 0) fleet.batch(nameOf(node), answers);
}

const BAD_GOLDEN: Digest = () => 0xbad;
/** Every wrong result is another one. */
const RACY: Digest = (device, execution) =>
  [...device].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) >>> 0, execution + 1);

interface Outcome {
  quarantined: number;
  opened: number;
  cordoned: number;
}

function outcome(fleet: Fleet): Outcome {
  const events = fleet.committed.flatMap(({ effects }) => effects.outbox.map(({ detail }) => detail.event));
  const actions = fleet.committed.flatMap(({ effects }) => effects.fleetDirectives.map(({ action }) => action));
  return {
    quarantined: [...fleet.state.devices.values()].filter(({ state }) => state === 'QUARANTINED').length,
    opened: events.filter((event) => event === 'breadth_incident_opened').length,
    cordoned: actions.filter((action) => action === 'CORDON').length,
  };
}

/** Node after node begins to fail, `stepUs` apart, and some of them fail again ten minutes later. */
function rollOut(digest: Digest, affected: (node: number) => readonly string[], stepUs: number, gates?: Gates): Fleet {
  const fleet = started(gates);
  for (let node = 0; node < NODES; node += 1) {
    const devices = affected(node);
    if (devices.length > 0) fail(fleet, node, devices, digest);
    fleet.advance(stepUs);
  }
  for (let again = 0; again < 1; again += 1) {
    fleet.advance(11 * MINUTE_US);
    for (let node = 0; node < NODES; node += 25) {
      const devices = affected(node);
      if (devices.length > 0) fail(fleet, node, devices, digest);
    }
  }
  fleet.advance(11 * MINUTE_US);
  return fleet;
}

const ONE_INCIDENT: Outcome = { quarantined: 0, opened: 1, cordoned: 0 };

test('instant: a bad golden everywhere at once is one incident, and no device is taken out', () => {
  const fleet = rollOut(BAD_GOLDEN, idsOf, 0);
  assert.deepEqual(outcome(fleet), ONE_INCIDENT);
  const [incident] = fleet.state.fleet.incidents;
  assert.deepEqual([incident?.nodeCount, incident?.nodes.length], [NODES, 64]);
  assert.ok(Object.values(fleet.state.fleet.failing).every(({ nodes }) => nodes.length <= MAX_FAILING_NODES));
});

test('without gate 5 the same fault takes out as many as the limit lets it', () => {
  assert.ok(outcome(rollOut(BAD_GOLDEN, idsOf, 0, without('breadth', 'node'))).quarantined >= 10);
});

test('racy: wrong results that all differ make no device one that fails in its own way', () => {
  assert.deepEqual(outcome(rollOut(RACY, idsOf, 0)), ONE_INCIDENT);
});

test('staged: one node every three minutes', () => {
  const { quarantined, opened } = outcome(rollOut(RACY, idsOf, 3 * MINUTE_US));
  assert.deepEqual([quarantined, opened], [0, 1]);
});

test('hidden SKU: one device in twenty', () => {
  const { quarantined, opened } = outcome(
    rollOut(RACY, (node) => (node % 5 === 0 ? idsOf(node).slice(0, 1) : []), 40 * SECOND_US),
  );
  assert.deepEqual([quarantined, opened], [0, 1]);
});

test('a device with a defect of its own is found in the midst of a bad golden', () => {
  const fleet = started();
  for (let node = 1; node < 50; node += 1) fail(fleet, node, idsOf(node), BAD_GOLDEN);
  fail(fleet, 0, ['GPU-0-0'], () => 0x0dd);
  fleet.advance(11 * MINUTE_US);
  assert.equal(fleet.device('GPU-0-0').state, 'QUARANTINED');
  assert.equal(outcome(fleet).quarantined, 1);
});

test('noting a failure costs the same however many nodes fail', () => {
  const fleet = started();
  for (let node = 0; node < NODES; node += 1) fail(fleet, node, idsOf(node).slice(0, 1), BAD_GOLDEN);
  const before = Object.values(fleet.state.fleet.failing).map(({ nodes, votes }) => [nodes.length, votes.length]);
  fail(fleet, 0, idsOf(0), BAD_GOLDEN);
  const after = Object.values(fleet.state.fleet.failing).map(({ nodes, votes }) => [nodes.length, votes.length]);
  assert.deepEqual(after, before);
  assert.equal(
    fleet.state.fleet.incidents[0]?.nodeCount,
    NODES,
    'a node that is no longer listed is not counted again',
  );
  assert.ok(fleet.device('GPU-0-0').units.every(({ family }) => family === FMA32));
});

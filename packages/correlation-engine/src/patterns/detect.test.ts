import assert from 'node:assert/strict';
import { it } from 'node:test';
import { begin } from '../evidence/draft.js';
import { RunKind } from '../evidence/model/terms.js';
import { binOf } from '../evidence/posterior/bins.js';
import { deviceIdOf, eventNames, Fleet, SECOND_US } from '../lifecycle/testing/fleet.js';
import { patternsOf } from './detect.js';
import { noteCleanExecutions, noteFailure, noteSignal } from './signals.js';

const [HOT, COOL] = [binOf({ temperatureC: 75 }), binOf({ temperatureC: 55 })];

function fleetOf(...nodes: string[]): Fleet {
  const fleet = new Fleet();
  for (const node of nodes) fleet.hello(node);
  return fleet;
}

/** Patterns of node one's device after `change`, at the fleet's time. */
function found(
  fleet: Fleet,
  change: (device: ReturnType<Fleet['device']>) => void,
): Map<string, { confidence: number; evidence: string }> {
  const device = structuredClone(fleet.device(deviceIdOf('one')));
  change(device);
  return new Map(patternsOf(begin(fleet.state), device, fleet.nowUs).map((pattern) => [pattern.name, pattern]));
}

it('failing scheduled runs on one of many SMs are local, on all alike they are not', () => {
  const fleet = fleetOf('one');
  const failOn = (sms: readonly number[]) => (device: ReturnType<Fleet['device']>) => {
    for (const sm of sms) noteFailure(device, { sm, bin: COOL, scheduled: true, timeUs: fleet.nowUs });
  };
  assert.match(
    found(fleet, failOn([2, 2, 2, 2, 2])).get('SM_LOCALIZED')?.evidence ?? '',
    /^5 of 5 .* on SM 2, one of 4/,
  );
  assert.equal(found(fleet, failOn([0, 1, 2, 3, 0, 1])).has('SM_LOCALIZED'), false);
});

it('executions of a burst say nothing about the place: the engine chose it', () => {
  const fleet = fleetOf('one');
  const patterns = found(fleet, (device) => {
    for (let i = 0; i < 9; i += 1) noteFailure(device, { sm: 2, bin: COOL, scheduled: false, timeUs: fleet.nowUs });
  });
  assert.equal(patterns.has('SM_LOCALIZED'), false);
});

it('failures in the heat are environmental, with an interval; as many in the cold are not', () => {
  const fleet = fleetOf('one');
  const fail = (bin: number, times: number) => (device: ReturnType<Fleet['device']>) => {
    noteFailure(device, { sm: 0, bin, scheduled: true, timeUs: fleet.nowUs });
    noteCleanExecutions(device, 2000, HOT);
    noteCleanExecutions(device, 8000, COOL);
    for (let i = 0; i < times; i += 1) noteFailure(device, { sm: 0, bin, scheduled: true, timeUs: fleet.nowUs });
  };
  const hot = found(fleet, fail(HOT, 6)).get('ENVIRONMENTAL');
  assert.match(hot?.evidence ?? '', /fail only from 70 °C on \(rate ratio, 95 % interval \d/);
  assert.ok((hot?.confidence ?? 0) > 0.99);
  assert.equal(found(fleet, fail(COOL, 6)).has('ENVIRONMENTAL'), false);
});

it('sources that speak within the window are several signals, apart they are not', () => {
  const fleet = fleetOf('one');
  const apart = (seconds: number) => (device: ReturnType<Fleet['device']>) => {
    noteFailure(device, { sm: 0, bin: COOL, scheduled: true, timeUs: fleet.nowUs });
    noteSignal(device, 'loud_fault', fleet.nowUs - seconds * SECOND_US);
  };
  assert.ok(found(fleet, apart(10)).has('MULTI_SIGNAL'));
  assert.equal(found(fleet, apart(1000)).has('MULTI_SIGNAL'), false);
});

it('a pattern goes to the ledger once, and ends with its evidence', () => {
  const fleet = fleetOf('one');
  const events: string[] = [];
  for (let i = 0; i < 6; i += 1) {
    events.push(...eventNames(fleet.batch('one', [{ index: i, fails: [{ sm: 2 }] }])));
    fleet.nowUs += SECOND_US;
  }
  assert.equal(events.filter((event) => event === 'pattern_found').length, 1);
  assert.deepEqual(
    fleet.device(deviceIdOf('one')).patterns.map(({ name }) => name),
    ['SM_LOCALIZED'],
  );
  fleet.operator(deviceIdOf('one'), 'REINSTATE');
  assert.deepEqual(fleet.device(deviceIdOf('one')).patterns, []);
});

it('drivers under which devices fail more than under others are named', () => {
  const fleet = new Fleet();
  const node = (i: number) => (i === 0 ? 'one' : `node-${i}`);
  for (let i = 0; i < 30; i += 1) {
    const device = {
      id: deviceIdOf(node(i)),
      model: 'M',
      vendor: 'V',
      sms: [0, 1, 2, 3],
      driverVersion: i < 4 ? 'new' : 'old',
      serial: '',
      note: '',
    };
    const family = { family: 1, probeVersion: 1, selfTestSmsRun: 4, selfTestSmsPassed: 4, instructions: [] };
    fleet.hello(node(i), { devices: [{ ...device, families: [family] }] });
    fleet.batch(node(i), [{ kind: RunKind.SCHEDULED }]);
  }
  for (let i = 0; i < 3; i += 1) fleet.batch(node(i), [{ index: 9, fails: [{ sm: 1 }] }]);
  const device = fleet.device(deviceIdOf('one'));
  const firmware = patternsOf(begin(fleet.state), device, fleet.nowUs).find(
    ({ name }) => name === 'FIRMWARE_CORRELATED',
  );
  assert.match(firmware?.evidence ?? '', /^3 of 4 devices with driver new failed fma32, and 0 of 26 with others/);
});

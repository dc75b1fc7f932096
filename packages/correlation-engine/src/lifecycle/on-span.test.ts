import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FMA32, repeat, SMS } from '../evidence/testing/batches.js';
import { deviceIdOf, Fleet, SECOND_US } from './testing/fleet.js';

const NODE = 'one';
const RUNS = 50;

/** A device that failed once and then ran cleanly, as rows or as a span. */
function after(how: 'rows' | 'span'): Fleet {
  const fleet = new Fleet();
  fleet.hello(NODE);
  fleet.batch(NODE, [{ fails: [{ sm: 1 }] }]);
  const fromUs = fleet.nowUs;
  fleet.nowUs += SECOND_US;
  if (how === 'rows') fleet.batch(NODE, repeat(RUNS, {}), fromUs);
  else {
    const executions = RUNS * SMS.length;
    const clean = [{ family: FMA32, sm: 1, executions: RUNS, directiveId: '', temperatureC: undefined }];
    const ran = [{ family: FMA32, runs: RUNS, executions }];
    fleet.commit({ kind: 'span', node: NODE, deviceId: deviceIdOf(NODE), fromUs, untilUs: fromUs, ran, clean });
  }
  return fleet;
}

it('a span does what its runs would have done, row by row', () => {
  const [rows, span] = [after('rows'), after('span')];
  assert.deepEqual(span.saved().exposure, rows.saved().exposure);
  assert.deepEqual(span.device(deviceIdOf(NODE)).units, rows.device(deviceIdOf(NODE)).units);
});

it('a span of a device of another node is none', () => {
  const fleet = after('span');
  const before = fleet.saved();
  const ran = [{ family: FMA32, runs: 1, executions: 1 }];
  fleet.commit({ kind: 'span', node: 'other', deviceId: deviceIdOf(NODE), fromUs: 0, untilUs: 0, ran, clean: [] });
  assert.deepEqual(fleet.saved(), before);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { posteriorOdds } from '../evidence/decision.js';
import { begin, install } from '../evidence/draft.js';
import type { DirectiveKind } from '../evidence/model/orders.js';
import { RunKind } from '../evidence/model/terms.js';
import { UNKNOWN_BIN } from '../evidence/posterior/bins.js';
import { newStep } from '../evidence/step.js';
import { repeat } from '../evidence/testing/batches.js';
import { addClean } from './add-clean.js';
import { deviceIdOf, Fleet } from './testing/fleet.js';

const ID = deviceIdOf('n1');
const KINDS = { burst: RunKind.BURST, 'follow-up': RunKind.FOLLOW_UP, 'deep-test': RunKind.DEEP_TEST };

function add(fleet: Fleet, sm: number, executions: number, kind?: DirectiveKind): void {
  const draft = begin(fleet.state);
  const ctx = { commitSeq: fleet.committed.length + 1, nowUs: fleet.nowUs };
  const step = newStep(draft, ctx, { kind: 'record', commitSeq: ctx.commitSeq }, posteriorOdds);
  const directiveId = kind === undefined ? undefined : fleet.open(ID, kind).id;
  const times = { fromUs: fleet.nowUs, untilUs: fleet.nowUs };
  addClean(step, ID, { family: 1, sm, executions, ...times, directiveId, bin: UNKNOWN_BIN });
  install(draft);
}

function suspect(): Fleet {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.batch('n1', [{ fails: [{ sm: 1 }] }]);
  return fleet;
}

test('one call for many executions of the burst does what their rows do', () => {
  const byRows = suspect();
  const spec = { kind: KINDS.burst, single: 1, directive: byRows.open(ID, 'burst').id };
  byRows.batch('n1', repeat(400, spec));
  const byCall = suspect();
  add(byCall, 1, 150, 'burst');
  add(byCall, 1, 250, 'burst');
  assert.deepEqual(byCall.device(ID).units, byRows.device(ID).units);
  assert.deepEqual(byCall.device(ID).directives, byRows.device(ID).directives);
});

test('and of the deep test, which it begins', () => {
  const quarantined = () => {
    const fleet = new Fleet();
    fleet.quarantined('n1');
    fleet.hello('n1', { buildId: 'build-2' });
    return fleet;
  };
  const byRows = quarantined();
  byRows.deepTestRuns('n1', 300);
  const byCall = quarantined();
  add(byCall, 1, 300, 'deep-test');
  assert.equal(byCall.device(ID).state, 'DEEP_TEST');
  assert.deepEqual(byCall.device(ID).units, byRows.device(ID).units);
  assert.equal(byCall.open(ID, 'deep-test').done, 300);
});

test('of a unit that never failed nothing is kept', () => {
  const fleet = suspect();
  const before = fleet.device(ID);
  add(fleet, 3, 1_000_000);
  assert.equal(fleet.device(ID), before);
  add(fleet, 1, 0);
  assert.equal(fleet.device(ID), before);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DirectiveBook,
  type DirectivePlan,
  MAX_ACTIVE_DIRECTIVES,
  MAX_FAILED_STARTS,
  type Progress,
} from './directives.js';

function book(): { readonly book: DirectiveBook; readonly said: Progress[] } {
  const said: Progress[] = [];
  return { book: new DirectiveBook((progress) => said.push(progress)), said };
}

function deepTest(units: readonly (readonly [number, number])[], sweepMs = 0): DirectivePlan {
  const steps = units.map(([sm, executions]) => ({ family: 'fma32' as const, sm, executions, intervalMs: 0 }));
  const sweep = { units: [{ family: 'int_aes' as const, sm: 0 }], durationMs: sweepMs, intervalMs: 0 };
  return { id: 'd', deviceId: 'CPU-a', kind: 'deep_test', steps, sweep };
}

function burst(executions: number, intervalMs = 10): DirectivePlan {
  const steps = [{ family: 'fma32' as const, sm: 1, executions, intervalMs }];
  return { id: 'b', deviceId: 'CPU-a', kind: 'burst', steps, sweep: null };
}

test('the failing units come first, then the sweep until its time is over', () => {
  const it = book();
  it.book.accept(
    deepTest(
      [
        [3, 2],
        [5, 1],
      ],
      100,
    ),
    0,
  );
  const order: string[] = [];
  for (let ms = 0; ms < 40; ms += 10) {
    const [unit] = it.book.next(ms);
    order.push(`${unit?.family} ${unit?.sm}`);
    it.book.executed('d', false, ms);
  }
  assert.deepEqual(order, ['fma32 3', 'fma32 3', 'fma32 5', 'int_aes 0']);
  assert.equal(it.book.next(119).length, 1);
  assert.equal(it.book.next(121).length, 0);
  assert.deepEqual(it.said.at(-1), { id: 'd', state: 'done', executions: 4, failures: 0, reason: '' });
});

test('a repeated burst is answered, not run again, also when it is finished', () => {
  const it = book();
  it.book.accept(burst(2), 0);
  it.book.executed('b', true, 0);
  it.book.accept(burst(1), 5);
  assert.equal(it.said.at(-1)?.executions, 1);
  it.book.executed('b', false, 10);
  assert.equal(it.said.at(-1)?.state, 'done');
  it.book.accept(burst(1), 20);
  assert.deepEqual(it.said.at(-1), { id: 'b', state: 'done', executions: 2, failures: 1, reason: '' });
  assert.equal(it.book.next(30).length, 0);
});

test('units that join a deep test are tested too; one that is finished is taken up again with what remains', () => {
  const it = book();
  it.book.accept(deepTest([[3, 1]]), 0);
  it.book.accept(
    deepTest([
      [3, 1],
      [5, 1],
    ]),
    1,
  );
  it.book.executed('d', false, 2);
  assert.equal(it.book.next(3)[0]?.sm, 5);
  it.book.executed('d', false, 4);
  assert.equal(it.said.at(-1)?.state, 'done');
  it.book.accept(deepTest([[7, 1]]), 5);
  assert.equal(it.book.next(6)[0]?.sm, 7);
  it.book.executed('d', false, 7);
  it.book.accept(deepTest([]), 8);
  assert.deepEqual([it.book.next(9).length, it.said.at(-1)?.state], [0, 'done']);
});

test('an execution that could not run is owed, and given up only after many', () => {
  const it = book();
  it.book.accept(burst(1), 0);
  for (let k = 1; k < MAX_FAILED_STARTS; k++) it.book.couldNotRun('b', 'no child', k * 1_000);
  assert.equal(it.book.next(1e6).length, 1);
  it.book.couldNotRun('b', 'no child', 1e6);
  assert.deepEqual([it.book.next(2e6).length, it.said.at(-1)?.reason], [0, 'given up: no child']);
});

test('what was given up is taken up again where the engine asks again; a canary is over, and so is what ran', () => {
  const it = book();
  const giveUp = (id: string) => {
    for (let k = 0; k < MAX_FAILED_STARTS; k++) it.book.couldNotRun(id, 'no child', k);
  };
  it.book.accept(burst(1), 0);
  giveUp('b');
  it.book.accept(burst(1), 1e6);
  assert.deepEqual([it.book.next(1e6).length, it.said.at(-1)?.state], [1, 'accepted']);
  it.book.executed('b', false, 1e6);
  it.book.accept(burst(1), 1e6);
  it.book.accept(canary(), 1e6);
  giveUp('c');
  it.book.accept(canary(), 1e6);
  assert.deepEqual([it.book.next(2e6).length, it.said.at(-1)?.reason], [0, 'given up: no child']);
});

test('a cancelled directive ends with what it found', () => {
  const it = book();
  it.book.accept(burst(10), 0);
  it.book.executed('b', true, 0);
  it.book.cancel('b');
  assert.deepEqual(it.said.at(-1), {
    id: 'b',
    state: 'done',
    executions: 1,
    failures: 1,
    reason: 'cancelled by the engine',
  });
});

test('what is late in a burst is made up for; more directives than the limit are refused', () => {
  const it = book();
  it.book.accept(burst(100, 10), 0);
  assert.equal(it.book.next(500)[0]?.dueMs, 0);
  it.book.executed('b', false, 500);
  assert.equal(it.book.next(500)[0]?.dueMs, 10);
  for (let k = 1; k <= MAX_ACTIVE_DIRECTIVES; k++) it.book.accept({ ...burst(1), id: `b${k}` }, 0);
  assert.equal(it.said.at(-1)?.state, 'refused');
});

function canary(): DirectivePlan {
  const seed = { family: 'fma32' as const, sms: [0, 1], epoch: 9, index: 2 ** 31 };
  return { id: 'c', deviceId: 'CPU-a', kind: 'canary', steps: [], sweep: null, canary: seed };
}

test('a canary is one launch, before everything else that was ordered', () => {
  const it = book();
  it.book.accept(burst(2), 0);
  it.book.accept(canary(), 5);
  const [first] = it.book.next(5);
  assert.deepEqual([first?.directiveId, first?.canary?.sms], ['c', [0, 1]]);
  it.book.executed('c', true, 10);
  assert.deepEqual(it.said.at(-1), { id: 'c', state: 'done', executions: 1, failures: 1, reason: '' });
  assert.deepEqual(
    it.book.next(20).map(({ directiveId }) => directiveId),
    ['b'],
  );
});

test('a canary that cannot run is not tried again: the others do not wait', () => {
  const it = book();
  it.book.accept(canary(), 0);
  it.book.couldNotRun('c', 'the probe child is being restarted', 1);
  assert.deepEqual(it.said.at(-1)?.reason, 'given up: the probe child is being restarted');
  assert.deepEqual(it.book.next(10_000), []);
});

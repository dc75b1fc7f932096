import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { addonPath } from '@sentinel/native-probes';
import { injectionsOf } from '../identity/injections.js';
import { type ChildEvent, ProbeChild } from './probe-child.js';

/** For an answer; a new child starts within it. */
const PATIENCE_MS = 60_000;
const FAULT = 'core=1,family=fma32,rate=0.01';
const REQUEST = { family: 'fma32' as const, epoch: 7, index: 1, sms: [0, 1], goldenCpus: [0, 1] as [number, number] };

function child(t: TestContext, injections: readonly string[] = [], testBuild = injections.length > 0) {
  const events: ChildEvent[] = [];
  const made = new ProbeChild({
    role: 'probes',
    addonFile: addonPath({ test: testBuild }),
    env: {},
    prelude: injectionsOf(injections),
  });
  made.onEvent = (event) => events.push(event);
  t.after(() => made.stop());
  return { made, events };
}

test('questions are answered in order, and the daemon never has the addon in its memory', async (t) => {
  const { made } = child(t);
  const [info, report] = await Promise.all([
    made.ask('info', null, PATIENCE_MS),
    made.ask('execute', REQUEST, PATIENCE_MS),
  ]);
  assert.equal(info.kind === 'answer' && info.value.testBuild, false);
  assert.deepEqual(report.kind === 'answer' && report.value.results.map(({ result }) => result), ['PASS', 'PASS']);
  assert.doesNotMatch(readFileSync('/proc/self/maps', 'latin1'), /sentinel_probes/);
  assert.match(readFileSync(`/proc/${made.pid}/maps`, 'latin1'), /sentinel_probes\.node/);
  assert.ok((made.residentBytes() ?? Number.POSITIVE_INFINITY) < 60e6);
});

test('the production addon knows no injection', async (t) => {
  const { made } = child(t, [FAULT], false);
  const reply = await made.ask('info', null, PATIENCE_MS);
  assert.deepEqual([reply.kind, made.pid], ['unprepared', undefined]);
});

test('a child that hangs is replaced, the next one has the faults too, and the answer says TIMEOUT', async (t) => {
  const { made, events } = child(t, [FAULT]);
  await made.ask('info', null, PATIENCE_MS);
  assert.ok(made.pid !== undefined);
  process.kill(made.pid, 'SIGSTOP');
  const hung = await made.ask('execute', REQUEST, 200);
  assert.equal(hung.kind, 'timeout');
  const again = await made.ask('execute', REQUEST, PATIENCE_MS);
  assert.deepEqual(again.kind === 'answer' && again.value.results.map(({ result }) => result), ['PASS', 'FAIL']);
  assert.deepEqual([events.map(({ kind }) => kind), made.restarts], [['timeout'], 1]);
});

test('a child that dies in the middle of a question settles it; the ones after it wait for the backoff', async (t) => {
  const { made, events } = child(t);
  await made.ask('info', null, PATIENCE_MS);
  const { pid } = made;
  assert.ok(pid !== undefined);
  process.kill(pid, 'SIGSTOP');
  const asked = made.ask('execute', REQUEST, PATIENCE_MS);
  setTimeout(() => process.kill(pid, 'SIGKILL'), 50);
  assert.equal((await asked).kind, 'crashed');
  const early = await made.ask('execute', REQUEST, 10);
  assert.notEqual(early.kind, 'answer');
  assert.equal((await made.ask('execute', REQUEST, PATIENCE_MS)).kind, 'answer');
  assert.equal(events[0]?.kind, 'crashed');
});

test('wrong arguments are refused with the field, and the child lives on', async (t) => {
  const { made } = child(t);
  const refused = await made.ask('execute', { ...REQUEST, sms: [] }, PATIENCE_MS);
  assert.match(refused.kind === 'refused' ? refused.reason : '', /sms/);
  assert.equal((await made.ask('info', null, PATIENCE_MS)).kind, 'answer');
});

test('what faults changed is counted and timed', async (t) => {
  const { made } = child(t, [FAULT]);
  const startMs = Date.now();
  const before = await made.ask('falsified', null, PATIENCE_MS);
  await made.ask('execute', REQUEST, PATIENCE_MS);
  const after = await made.ask('falsified', null, PATIENCE_MS);
  assert.deepEqual(before.kind === 'answer' && before.value, { count: 0, firstUs: null });
  assert.ok(after.kind === 'answer' && after.value.count > 0);
  const firstMs = Number(after.value.firstUs) / 1000;
  // Both clocks are the system's, read with another precision.
  assert.ok(firstMs >= startMs - 100 && firstMs <= Date.now() + 100, `${firstMs}`);
});

test('a stopped child answers nothing more', async (t) => {
  const { made } = child(t);
  await made.ask('info', null, PATIENCE_MS);
  await made.stop();
  assert.equal((await made.ask('info', null, 1_000)).kind, 'unavailable');
});

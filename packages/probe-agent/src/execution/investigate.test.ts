import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ProbeResult, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import { addonPath, type Info } from '@sentinel/native-probes';
import { systemClock } from '@sentinel/service-kit/clock';
import { CpuDevice } from '../identity/cpu-device.js';
import { injectionsOf } from '../identity/injections.js';
import { ProbeChild } from '../probe-child/probe-child.js';
import type { Work } from '../scheduler/planner.js';
import { execute } from './execute.js';
import { investigate } from './investigate.js';
import type { ProbeRun } from './run.js';

const WORK: Work = {
  deviceId: 'CPU-a',
  family: 'fma32',
  kind: RunKind.BURST,
  sms: [1],
  goldenCpus: [0, 1],
  epoch: 11,
  index: 3,
  directiveId: 'd',
  timeoutMs: 5_000,
  pool: 'burst',
};

function executor(t: TestContext, injection: string, recently = false) {
  const addonFile = addonPath({ test: true });
  const child = new ProbeChild({ addonFile, role: 'probes', env: {}, prelude: injectionsOf([injection]) });
  t.after(() => child.stop());
  const device = new CpuDevice('CPU-a', [0, 1], child, { families: [] } as unknown as Info);
  return {
    deviceOf: () => device,
    clock: systemClock,
    loudFaults: { recently: async () => recently },
    contexts: { latest: () => undefined },
  };
}

const LOOK = { smsOf: () => [0, 1], tolerances: { siblings: 16, reruns: 1 } };

const results = (run: ProbeRun | undefined) => run?.results.map(({ sm, result }) => [sm, result]);

test('a mismatch of one SM: its seed on the others, then once more on itself, the detail from the first', async (t) => {
  const parts = executor(t, 'core=1,family=fma32,rate=0.01');
  const launched: Work[] = [];
  const launch = async (work: Work) => {
    launched.push(work);
    return (await execute(work, parts)).run;
  };
  const first = await launch(WORK);
  const group = await investigate(WORK, first, LOOK, launch);
  assert.deepEqual(
    group.map(({ kind }) => kind),
    [RunKind.BURST, RunKind.SIBLING, RunKind.RERUN],
  );
  assert.ok(launched.every(({ epoch, index }) => epoch === 11 && index === 3));
  assert.deepEqual(results(group[1]), [[0, ProbeResult.PASS]]);
  assert.deepEqual(results(group[2]), [[1, ProbeResult.FAIL]]);
  assert.equal(group[0], first);
  assert.notEqual(first.results[0]?.mismatch?.actualDigest, group[2]?.results[0]?.mismatch?.actualDigest);
  assert.equal(first.loudFault, false);
});

test('a rerun that passes suppresses nothing', async (t) => {
  const parts = executor(t, 'core=1,family=fma32,rate-exec=0.4,seed=5');
  for (let index = 0; index < 40; index++) {
    const launch = async (work: Work) => (await execute({ ...work, index }, parts)).run;
    const first = await launch(WORK);
    if (first.results[0]?.result !== ProbeResult.FAIL) continue;
    const group = await investigate(WORK, first, LOOK, launch);
    assert.equal(group[0]?.results[0]?.result, ProbeResult.FAIL);
    if (group.at(-1)?.results[0]?.result === ProbeResult.PASS) return;
  }
  assert.fail('no rerun passed');
});

test('a loud fault in the interval is noted on a failing run', async (t) => {
  const parts = executor(t, 'core=1,family=fma32,rate=0.01', true);
  assert.equal((await execute(WORK, parts)).run.loudFault, true);
  assert.equal((await execute({ ...WORK, sms: [0] }, parts)).run.loudFault, false);
});

test('goldens that disagree accuse no SM of the run; the dispute names the CPU', async (t) => {
  const parts = executor(t, 'core=1,family=fma32,site=golden,rate=1');
  const { run, dispute } = await execute({ ...WORK, sms: [0, 1] }, parts);
  assert.deepEqual(
    [run.goldenAgreed, run.results.map(({ result }) => result)],
    [false, [ProbeResult.INCONCLUSIVE, ProbeResult.INCONCLUSIVE]],
  );
  assert.ok(run.results.every(({ mismatch, reason }) => mismatch === null && reason !== ''));
  assert.equal(dispute?.accused, 1);
});

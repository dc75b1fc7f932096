import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Testbed } from '../identity/testbed.js';
import type { TestedDevice } from '../identity/tested-device.js';
import { benchmark } from './benchmark.js';

test('of a GPU: what its budget is charged, what of it is its own time, and what a change of context takes', async () => {
  const sm = { sm: 0, result: 'PASS', reason: null, digest: 1, startUs: 0, durationUs: 40, mismatch: null };
  const gpu = { chargedUs: 90, deviceUs: 55, hostUs: 60, launches: 1 };
  const report = { results: [sm], wallUs: 500, cpuUs: [{ cpu: 0, us: 300 }], gpu };
  const value = { report, charges: [{ unit: 0, us: gpu.chargedUs }], goldenCharges: [] };
  const device = {
    backend: 'gpu',
    id: 'GPU-a',
    sms: [0],
    families: ['fma32'],
    switchUs: 30,
    selfTest: async () => new Map(),
    execute: async () => ({ kind: 'answer', value }),
  } as unknown as TestedDevice;
  const child = { ask: () => assert.fail('the slowdown of a CPU says nothing of a GPU') };
  const testbed = { info: { cpuModel: '', cpus: [0, 1] }, lanes: [{ child, devices: [device] }] } as unknown as Testbed;
  const { text, exitCode } = await benchmark(testbed, 3);
  assert.match(text, /CHARGED US p50\/p99 +DEVICE US p50\/p99 +SWITCH US\n/);
  assert.match(text, /^GPU-a +fma32 +3 +0 +0 +40 \/ 40 +500 \/ 500 +300 \/ 300 +90 \/ 90 +55 \/ 55 +30$/m);
  assert.equal(exitCode, 0);
});

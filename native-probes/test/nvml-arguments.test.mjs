import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probes, testProbes } from './addons.mjs';

const REQUEST = { uuid: 'GPU-00000000-0000-0000-0000-000000000000', nvlink: true, pcie: true };

for (const [name, addon] of Object.entries({ release: probes, test: testProbes })) {
  test(`${name}: a wrong argument of gpuTelemetry is named`, () => {
    const wrong = [
      [undefined, /argument/],
      [{ ...REQUEST, uuid: '' }, /uuid/],
      [{ ...REQUEST, uuid: 7 }, /uuid/],
      [{ ...REQUEST, uuid: 'x'.repeat(96) }, /uuid/],
      [{ ...REQUEST, nvlink: 1 }, /nvlink/],
      [{ ...REQUEST, pcie: undefined }, /pcie/],
    ];
    for (const [request, message] of wrong)
      assert.throws(() => addon.gpuTelemetry(request), { name: 'TypeError', message });
  });

  test(`${name}: a GPU that is not there is an error with a name and no field`, () => {
    const { error, fields } = addon.gpuTelemetry(REQUEST);
    assert.deepEqual(fields, {});
    assert.match(error.call, /^(dlopen|nvmlInit_v2|nvmlDeviceGetHandleByUUID)$/);
    assert.match(error.name, /^[A-Z_]+$/);
    assert.ok(error.code > 0);
  });
}

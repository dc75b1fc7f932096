// Telemetry through NVML, on a fake NVML that says what a file says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeGpu } from './fake-gpu/index.mjs';
import { needsFakeGpu } from './fake-gpu/needs.mjs';
import { buildFakeNvml } from './fake-nvml/index.mjs';
import { startReader } from './fake-nvml/reader.mjs';

const GPU = 'GPU-11111111-2222-4333-8444-555555555555';
const OTHER = 'GPU-66666666-2222-4333-8444-555555555555';
const MIG = 'MIG-77777777-2222-4333-8444-555555555555';
const ALL = { uuid: GPU, nvlink: true, pcie: true };
const driver = { version: 12040, nvml_version: '550.54.15' };
const devices = [
  { uuid: GPU, name: 'Fake H100', pci: '00000000:1B:00.0', memory: 85_899_345_920 },
  { uuid: OTHER, name: 'Fake H100' },
];

const nvml = (values) => ({ word: 'nvml', uuid: GPU, ...values });

async function machine(entries, { old = false, ...rest } = {}) {
  const fake = await fakeGpu({ driver, devices, entries }, [buildFakeNvml({ old })]);
  return { fake, set: (...next) => fake.configure({ driver, devices, entries: next, ...rest }) };
}

/** What a GPU says of itself with these entries; both addons say the same. */
async function telemetry(entries, { request = ALL, old = false } = {}) {
  const { fake } = await machine(entries, { old });
  const answers = [];
  for (const test of [false, true]) {
    using reader = startReader(fake.env, { test });
    answers.push(await reader.ask('gpuTelemetry', request));
  }
  fake[Symbol.dispose]();
  assert.deepEqual(answers[0], answers[1]);
  return answers[0];
}

const IDENTITY = {
  name: 'Fake H100',
  pci_bus_id: '00000000:1B:00.0',
  driver_version: '550.54.15',
  cuda_version: '12.4',
};

test('a GPU that offers nothing has its identity and no other field', needsFakeGpu, async () => {
  assert.deepEqual(await telemetry([]), { error: null, fields: IDENTITY });
});

test('every field comes from its function, in its unit', needsFakeGpu, async () => {
  const counters = {
    ecc_corrected_volatile_total: 1,
    ecc_corrected_volatile_location_2: 1,
    ecc_uncorrected_aggregate_location_7: 4,
  };
  const { error, fields } = await telemetry([
    nvml({
      serial: '165432100',
      vbios: '96.00.74.00.01',
      temperature: 61,
      temperature_memory: 70,
      power: 300_500,
      power_average: 301_000,
      power_instant: 355_250,
      power_limit: 700_000,
      energy: 12_345_678,
      clock_0: 1980,
      clock_1: 1979,
      clock_2: 2619,
      reasons: 0x24,
      utilization: [98, 41],
      memory_used: 1_073_741_824,
      ecc: 1,
      ...counters,
      remapped_rows: [1, 2, 1, 0],
      row_remapper: [640, 0, 1, 0, 0],
      retired_single: 3,
      retired_double: 0,
      retired_pending: 0,
      pcie_replays: 5,
      pcie_generation: 5,
      pcie_width: 16,
      pcie_max_generation: 5,
      pcie_max_width: 16,
      nvlink: [1, 1, 0],
      nvlink_0_0: 2,
      nvlink_1_0: 3,
      nvlink_1_2: 7,
      nvlink_2_0: 99,
      fabric_state: 3,
      fabric_health: 0x1aa,
      fabric_status: 0,
    }),
  ]);
  assert.equal(error, null);
  assert.deepEqual(fields, {
    ...IDENTITY,
    serial: '165432100',
    vbios: '96.00.74.00.01',
    temperature_c: 61,
    temperature_memory_c: 70,
    power_w: 300.5,
    power_average_w: 301,
    power_instant_w: 355.25,
    power_limit_w: 700,
    energy_j: 12_345.678,
    clock_graphics_mhz: 1980,
    clock_sm_mhz: 1979,
    clock_memory_mhz: 2619,
    clock_event_reasons: 0x24,
    utilization_gpu_pct: 98,
    utilization_memory_pct: 41,
    memory_total_bytes: 85_899_345_920,
    memory_used_bytes: 1_073_741_824,
    ecc_enabled: 1,
    ecc_corrected_volatile_total: 1,
    ecc_corrected_volatile_dram: 1,
    ecc_uncorrected_aggregate_sram: 4,
    rows_remapped_corrected: 1,
    rows_remapped_uncorrected: 2,
    row_remap_pending: 1,
    row_remap_failed: 0,
    row_remap_banks_max: 640,
    row_remap_banks_high: 0,
    row_remap_banks_partial: 1,
    row_remap_banks_low: 0,
    row_remap_banks_none: 0,
    retired_pages_single_bit: 3,
    retired_pages_double_bit: 0,
    retired_pages_pending: 0,
    pcie_replays: 5,
    pcie_link_generation: 5,
    pcie_link_width: 16,
    pcie_max_link_generation: 5,
    pcie_max_link_width: 16,
    nvlink_links: 3,
    nvlink_links_active: 2,
    nvlink_0_replay_errors: 2,
    nvlink_1_replay_errors: 3,
    nvlink_1_crc_flit_errors: 7,
    nvlink_replay_errors: 5,
    nvlink_crc_flit_errors: 7,
    fabric_state: 'completed',
    fabric_health: 0x1aa,
    fabric_status: 0,
  });
});

test('zero is a value; what a function refuses or the library lacks is absent', needsFakeGpu, async () => {
  const says = nvml({
    temperature: 0,
    power: 300_000,
    error_nvmlDeviceGetPowerUsage: 4,
    reasons: 1,
    row_remapper: [1, 2, 3, 4, 5],
    fabric_state: 3,
  });
  const { fields } = await telemetry([says], { old: true });
  assert.deepEqual(fields, { ...IDENTITY, temperature_c: 0, clock_event_reasons: 1 });
});

test('NVLink and PCIe are read only if they are asked for', needsFakeGpu, async () => {
  const says = [nvml({ nvlink: [1], nvlink_0_0: 1, pcie_replays: 1 })];
  assert.deepEqual((await telemetry(says, { request: { ...ALL, nvlink: false, pcie: false } })).fields, IDENTITY);
});

test('a MIG instance answers with the sensors of its GPU, and says which', needsFakeGpu, async () => {
  const instance = { word: 'mig', uuid: MIG, parent: GPU, gi: 1, ci: 0, sms: 14, name: 'Fake H100 MIG 1g.10gb' };
  const { fields } = await telemetry([nvml({ mig: 1, temperature: 44 }), instance], { request: { ...ALL, uuid: MIG } });
  assert.deepEqual(fields, { ...IDENTITY, parent_uuid: GPU, temperature_c: 44 });
});

test(
  'a GPU that is not there and one that is lost are errors with a name; the others still answer',
  needsFakeGpu,
  async () => {
    const { fake, set } = await machine([nvml({ temperature: 50 }), nvml({ uuid: OTHER, temperature: 51 })]);
    using _ = fake;
    using reader = startReader(fake.env);
    const ask = (uuid) => reader.ask('gpuTelemetry', { ...ALL, uuid });
    assert.deepEqual(await ask('GPU-0'), {
      error: { call: 'nvmlDeviceGetHandleByUUID', code: 6, name: 'NOT_FOUND' },
      fields: {},
    });
    set(nvml({ temperature: 50, lost: 1 }), nvml({ uuid: OTHER, temperature: 51 }));
    const { error } = await ask(GPU);
    assert.deepEqual([error?.code, error?.name], [15, 'GPU_IS_LOST']);
    assert.equal((await ask(OTHER)).fields.temperature_c, 51);
  },
);

test('a driver that is not loaded is an error until it is', needsFakeGpu, async () => {
  const { fake } = await machine([nvml({ temperature: 50 })]);
  using _ = fake;
  fake.configure({ driver: { ...driver, nvml_init: 9 }, devices });
  using reader = startReader(fake.env);
  const expected = { call: 'nvmlInit_v2', code: 9, name: 'DRIVER_NOT_LOADED' };
  assert.deepEqual((await reader.ask('gpuTelemetry', ALL)).error, expected);
  assert.deepEqual((await reader.ask('gpuXids')).error, expected);
  fake.configure({ driver, devices });
  assert.equal((await reader.ask('gpuTelemetry', ALL)).error, null);
});

test('a call that hangs hangs its process and no other', needsFakeGpu, async () => {
  const { fake, set } = await machine([nvml({ temperature: 50, power: 1, hang: 'nvmlDeviceGetPowerUsage' })]);
  using _ = fake;
  using hung = startReader(fake.env);
  using other = startReader(fake.env);
  const answer = hung.ask('gpuTelemetry', ALL).then(
    () => 'answered',
    () => 'silent',
  );
  assert.equal((await other.ask('gpuTelemetry', { ...ALL, uuid: OTHER })).error, null);
  assert.equal(await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 500, 'waiting'))]), 'waiting');
  set(nvml({ temperature: 50, power: 2000 }));
  assert.equal((await other.ask('gpuTelemetry', ALL)).fields.power_w, 2);
});

test('counters are read anew each time', needsFakeGpu, async () => {
  const { fake, set } = await machine([nvml({ ecc_uncorrected_volatile_total: 0 })]);
  using _ = fake;
  using reader = startReader(fake.env);
  const count = async () => (await reader.ask('gpuTelemetry', ALL)).fields.ecc_uncorrected_volatile_total;
  assert.equal(await count(), 0);
  set(nvml({ ecc_uncorrected_volatile_total: 2 }));
  assert.equal(await count(), 2);
});

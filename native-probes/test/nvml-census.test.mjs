// What NVML adds to the census of GPUs, and the MIG instances that it alone lists.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeGpu } from './fake-gpu/index.mjs';
import { needsFakeGpu } from './fake-gpu/needs.mjs';
import { buildFakeNvml } from './fake-nvml/index.mjs';
import { startReader } from './fake-nvml/reader.mjs';

const GPU = 'GPU-11111111-2222-4333-8444-555555555555';
const SPLIT = 'GPU-66666666-2222-4333-8444-555555555555';
const [FIRST, SECOND] = [1, 2].map((n) => `MIG-7777777${n}-2222-4333-8444-555555555555`);

const mig = (uuid, gi) => ({ word: 'mig', uuid, parent: SPLIT, gi, ci: 0, sms: 14, memory_mib: 9856, name: '1g.10gb' });
const facts = ({ uuid, parentUuid, serial, pciBusId, driverVersion }) => [
  uuid,
  parentUuid,
  serial,
  pciBusId,
  driverVersion,
];

async function census(entries, libraries = [buildFakeNvml()]) {
  const devices = [
    { uuid: GPU, name: 'Fake H100', pci: '0000:1b:00.0' },
    { uuid: SPLIT, pci: '0000:2b:00.0' },
  ];
  using fake = await fakeGpu({ driver: { nvml_version: '535.183.01' }, devices, entries }, libraries);
  using reader = startReader(fake.env);
  return (await reader.ask('gpuCensus')).devices;
}

test('a GPU has its serial number and driver, MIG instances their GPU and its', needsFakeGpu, async () => {
  const devices = await census([
    { word: 'nvml', uuid: GPU, serial: '165' },
    { word: 'nvml', uuid: SPLIT, serial: '166', mig: 1 },
    mig(FIRST, 7),
    mig(SECOND, 8),
  ]);
  assert.deepEqual(devices.filter(({ uuid }) => uuid !== SPLIT).map(facts), [
    [GPU, null, '165', '0000:1b:00.0', '535.183.01'],
    [FIRST, SPLIT, '166', '0000:2b:00.0', '535.183.01'],
    [SECOND, SPLIT, '166', '0000:2b:00.0', '535.183.01'],
  ]);
  const instance = devices.find(({ uuid }) => uuid === FIRST);
  assert.deepEqual([instance.name, instance.smCount, instance.memoryBytes], ['1g.10gb', 14, 9856 * 2 ** 20]);
});

test('without NVML the GPUs are those of CUDA, and what NVML alone knows is absent', needsFakeGpu, async () => {
  const devices = await census([], []);
  assert.deepEqual(
    devices.map(({ uuid, serial, driverVersion }) => [uuid, serial, driverVersion]),
    [
      [GPU, null, null],
      [SPLIT, null, null],
    ],
  );
});

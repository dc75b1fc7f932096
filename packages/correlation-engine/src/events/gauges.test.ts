import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from '@sentinel/service-kit/metrics';
import type { DeviceState } from '../core.js';
import type { Replaced } from '../evidence/model/orders.js';
import { loadState } from '../evidence/state.js';
import { CONFIG } from '../evidence/testing/config.js';
import { deviceWith, NOW_US } from '../evidence/testing/device.js';
import { observeEachGpu } from './gpu-gauges.js';
import { observeNodes } from './node-gauges.js';

const FAMILY = 1;

function fleetOf(devices: readonly DeviceState[]) {
  const exposure = devices.flatMap(({ id }) =>
    [FAMILY, FAMILY + 1].map((family) => ({
      deviceId: id,
      family: family as 1,
      runs: 10,
      executions: 40,
      failures: id === 'bad' ? 3 : 0,
      notRun: 0,
      firstRunUs: NOW_US,
      lastRunUs: NOW_US,
    })),
  );
  return loadState({ config: CONFIG, devices, nodes: [], fleet: null, exposure });
}

/** Samples of a metric, as `{labels} value`, in order. */
async function samplesOf(registry: Registry, name: string): Promise<string[]> {
  const text = await registry.getSingleMetricAsString(name);
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.map((line) => line.slice(name.length)).sort();
}

function observed(devices: readonly DeviceState[], maxGpus: number): Registry {
  const registry = new Registry();
  const state = fleetOf(devices);
  const sensor = (gpu: string, field: string) => (gpu === 'bad' && field === 'temperature_c' ? 71.5 : undefined);
  observeEachGpu({ state: () => state, nowUs: () => NOW_US, sensor }, registry, maxGpus);
  return registry;
}

const GOOD = deviceWith('good', { node: 'n1' });
const BAD = deviceWith('bad', { node: 'n2', model: 'H100', state: 'QUARANTINED' });
const GONE = deviceWith('gone', { node: 'n3', state: 'QUARANTINED', replaced: {} as Replaced });

test('a small fleet has series of each device, without what other hardware replaced', async () => {
  const registry = observed([GOOD, BAD, GONE], 3);
  assert.deepEqual(await samplesOf(registry, 'sentinel_gpu_state'), ['{gpu="bad"} 3', '{gpu="good"} 1']);
  assert.deepEqual(await samplesOf(registry, 'sentinel_gpu_info'), [
    '{gpu="bad",node="n2",model="H100"} 1',
    '{gpu="good",node="n1",model="Model A"} 1',
  ]);
  assert.deepEqual(await samplesOf(registry, 'sentinel_gpu_executions_total'), ['{gpu="bad"} 80', '{gpu="good"} 80']);
  assert.deepEqual(await samplesOf(registry, 'sentinel_gpu_failures_total'), ['{gpu="bad"} 6', '{gpu="good"} 0']);
});

test('a sensor that a device does not offer has no series', async () => {
  const registry = observed([GOOD, BAD], 3);
  assert.deepEqual(await samplesOf(registry, 'sentinel_gpu_temperature_celsius'), ['{gpu="bad"} 71.5']);
  assert.deepEqual(await samplesOf(registry, 'sentinel_gpu_power_watts'), []);
});

test('in a larger fleet only what is not healthy has series, and a scrape repeats no count', async () => {
  const registry = observed([GOOD, BAD], 1);
  const names = ['state', 'reliability_score', 'info', 'executions_total', 'failures_total'];
  for (const name of names.map((last) => `sentinel_gpu_${last}`)) {
    const first = await samplesOf(registry, name);
    assert.equal(first.length, 1, name);
    assert.match(first[0] ?? '', /gpu="bad"/);
    assert.deepEqual(await samplesOf(registry, name), first);
  }
});

function nodesOf(devices: readonly DeviceState[], connected: readonly string[]): Registry {
  const registry = new Registry();
  const state = fleetOf(devices);
  observeNodes({ state: () => state, isConnected: (node) => connected.includes(node) }, registry);
  return registry;
}

test('nodes whose agents are away are counted and named', async () => {
  const registry = nodesOf([GOOD, BAD, GONE, deviceWith('lost', { node: 'n4', state: 'CONDEMNED' })], ['n1']);
  assert.deepEqual(await samplesOf(registry, 'sentinel_nodes'), ['{connected="no"} 1', '{connected="yes"} 1']);
  assert.deepEqual(await samplesOf(registry, 'sentinel_node_disconnected'), ['{node="n2"} 1']);
});

test('at most a hundred are named, always the same, and all are counted', async () => {
  const devices = Array.from({ length: 250 }, (_, k) =>
    deviceWith(`g${k}`, { node: `n${String(k).padStart(3, '0')}` }),
  );
  const registry = nodesOf(devices.toReversed(), []);
  assert.deepEqual(await samplesOf(registry, 'sentinel_nodes'), ['{connected="no"} 250', '{connected="yes"} 0']);
  const named = await samplesOf(registry, 'sentinel_node_disconnected');
  assert.deepEqual([named.length, named[0], named.at(-1)], [100, '{node="n000"} 1', '{node="n099"} 1']);
});

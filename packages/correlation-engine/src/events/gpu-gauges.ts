import { Counter, Gauge, type Registry } from '@sentinel/service-kit/metrics';
import { type CoreState, type DeviceState, summarize } from '../core.js';
import { STATES } from './states.js';

/** What is read of single devices. */
export interface GpuFacts {
  state(): CoreState;
  /** Time of the newest commit. */
  nowUs(): number;
  /** What a device's sensor said last; undefined = nothing. */
  sensor(gpu: string, field: string): number | undefined;
}

/**
 * Series of single devices: of all of them in a fleet of up to `maxGpus`, else of those that are not healthy. Each metric here is one
 * series more for every one of them.
 */
export function observeEachGpu(facts: GpuFacts, registry: Registry, maxGpus: number): void {
  const shown = (): DeviceState[] => {
    const { devices, attentive } = facts.state();
    // What is not healthy is attended to: a large fleet is not looked through for each metric.
    const few = [...attentive].flatMap((id) => devices.get(id) ?? []).filter(({ state }) => state !== 'HEALTHY');
    return (devices.size <= maxGpus ? [...devices.values()] : few).filter(({ replaced }) => replaced === null);
  };
  const registers = [registry];
  const gauge = (name: string, help: string, read: (device: DeviceState) => number | undefined): void => {
    new Gauge({
      name,
      help,
      labelNames: ['gpu'],
      registers,
      collect() {
        this.reset();
        for (const device of shown()) {
          const value = read(device);
          if (value !== undefined) this.set({ gpu: device.id }, value);
        }
      },
    });
  };
  gauge(
    'sentinel_gpu_reliability_score',
    'Displayed score: 0.990 without evidence, below 0.95 suspicious.',
    (device) => summarize(facts.state(), device, facts.nowUs()).score.score,
  );
  gauge(
    'sentinel_gpu_state',
    '1 HEALTHY, 2 SUSPECT, 3 QUARANTINED, 4 DEEP_TEST, 5 CONDEMNED.',
    ({ state }) => STATES.indexOf(state) + 1,
  );
  gauge(
    'sentinel_gpu_temperature_celsius',
    'Newest temperature of the device; no series where it offers none.',
    ({ id }) => facts.sensor(id, 'temperature_c'),
  );
  gauge('sentinel_gpu_power_watts', 'The same for its power.', ({ id }) => facts.sensor(id, 'power_w'));
  const counter = (name: string, help: string, read: (state: CoreState, id: string) => number): void => {
    new Counter({
      name,
      help,
      labelNames: ['gpu'],
      registers,
      collect() {
        this.reset();
        for (const { id } of shown()) this.inc({ gpu: id }, read(facts.state(), id));
      },
    });
  };
  counter(
    'sentinel_gpu_executions_total',
    'Executions of the device, of all families. Flat: it is not tested.',
    (state, id) => ran(state, id, 'executions'),
  );
  counter(
    'sentinel_gpu_failures_total',
    'Wrong results of the device. Any: see `sentinel gpus explain`.',
    (state, id) => ran(state, id, 'failures'),
  );
  new Gauge({
    name: 'sentinel_gpu_info',
    help: 'Always 1: on which node a device is, and of which model.',
    labelNames: ['gpu', 'node', 'model'],
    registers,
    collect() {
      this.reset();
      for (const { id, node, model } of shown()) this.set({ gpu: id, node, model }, 1);
    },
  });
}

function ran(state: CoreState, id: string, what: 'executions' | 'failures'): number {
  let sum = 0;
  for (const exposure of state.exposure.get(id)?.values() ?? []) sum += exposure[what];
  return sum;
}

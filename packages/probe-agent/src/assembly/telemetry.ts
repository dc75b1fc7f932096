import type { TestedDevice } from '../identity/tested-device.js';
import { driverEnv } from '../probe-child/child-env.js';
import { ProbeChild } from '../probe-child/probe-child.js';
import { TelemetryCollector } from '../telemetry/collector.js';
import { CpuSensors } from '../telemetry/cpu-sensors.js';
import { GpuSensors, takeXids } from '../telemetry/gpu-sensors.js';
import type { Common } from './common.js';
import type { Reporting } from './reporting.js';

/** Sensors of every device, and the loop that reads them. NVML has a child of its own, so that a driver that hangs stops no run. */
export function makeTelemetry(common: Common, { reporter, events }: Reporting): TelemetryCollector {
  const { settings, testbed, devices, clock } = common;
  const { collection_interval_s: intervalS, collect_nvlink: nvlink, collect_pcie: pcie } = settings.config.telemetry;
  const child = devices.all.some(isGpu)
    ? new ProbeChild({ addonFile: testbed.addonFile, role: 'telemetry', env: driverEnv(process.env), prelude: [] })
    : null;
  const sensorsOf = (device: TestedDevice) =>
    child !== null && isGpu(device)
      ? new GpuSensors(device.id, child, { nvlink, pcie })
      : new CpuSensors(device.id, device.sms, () => clock.monotonicMs());
  return new TelemetryCollector({
    sensors: devices.all.map(sensorsOf),
    takeXids: child === null ? null : () => takeXids(child),
    intervalMs: intervalS * 1000,
    clock,
    send: (samples) => reporter.telemetry(samples),
    onFault: (fault) => events.loudFault(fault),
    onProblem: (deviceId, problem) => events.telemetryChanged(deviceId, problem),
    close: async () => child?.stop(),
  });
}

function isGpu({ backend }: TestedDevice): boolean {
  return backend === 'gpu';
}

import type { DeviceSignals, DeviceState, SignalSource } from '../evidence/model/device.js';
import { type Bin, TEMPERATURE_CLASSES, temperatureClass } from '../evidence/posterior/bins.js';

/** What patterns are found from, before anything happened. */
const NONE: DeviceSignals = {
  sm: null,
  onSm: 0,
  elsewhere: 0,
  lastUs: {},
  executions: new Array<number>(TEMPERATURE_CLASSES).fill(0),
  failures: new Array<number>(TEMPERATURE_CLASSES).fill(0),
};

/** Something spoke against the device. O(1), as all of these. */
export function noteSignal(device: DeviceState, source: SignalSource, timeUs: number): void {
  const signals = device.signals ?? NONE;
  const lastUs = Math.max(timeUs, signals.lastUs[source] ?? timeUs);
  device.signals = { ...signals, lastUs: { ...signals.lastUs, [source]: lastUs } };
}

/**
 * An execution failed. `scheduled` = it was one of a run over all SMs: those of a burst are on one SM because the engine asked there.
 * The first failure makes the device a suspect and is not counted by temperature, because the executions before it were not either.
 */
export function noteFailure(
  device: DeviceState,
  failure: { sm: number; bin: Bin; scheduled: boolean; timeUs: number },
): void {
  const first = device.signals?.lastUs.probe === undefined;
  noteSignal(device, 'probe', failure.timeUs);
  const signals = device.signals ?? NONE;
  const counted = first ? signals : { ...signals, ...added(signals, failure.bin, 1, 1) };
  device.signals = failure.scheduled ? { ...counted, ...place(signals, failure.sm) } : counted;
}

/** Executions of units that failed before, this time cleanly. */
export function noteCleanExecutions(device: DeviceState, executions: number, bin: Bin): void {
  const { signals } = device;
  if (signals !== null) device.signals = { ...signals, ...added(signals, bin, executions, 0) };
}

function added({ executions, failures }: DeviceSignals, bin: Bin, ran: number, failed: number) {
  const at = temperatureClass(bin);
  return {
    executions: executions.map((count, i) => (i === at ? count + ran : count)),
    failures: failures.map((count, i) => (i === at ? count + failed : count)),
  };
}

function place({ sm, onSm, elsewhere }: DeviceSignals, failing: number) {
  return sm === null || sm === failing ? { sm: failing, onSm: onSm + 1 } : { elsewhere: elsewhere + 1 };
}

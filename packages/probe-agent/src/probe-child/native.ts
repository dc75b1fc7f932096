import { constants } from 'node:os';
import type { NativeGpuProbes, NativeProbes, NativeTestProbes } from '@sentinel/native-probes';

/** What either addon exports: the GPU part where it was built with it, injection and its counter in the test build alone. */
export type Native = NativeProbes &
  Pick<NativeGpuProbes, 'gpuTelemetry' | 'gpuXids'> &
  Partial<NativeGpuProbes> &
  Partial<Pick<NativeTestProbes, 'inject' | 'falsified'>>;

/** What faults of the test build changed so far. */
export type Falsified = ReturnType<NativeTestProbes['falsified']>;

/** Only the probe child calls this. Throws where the file is not a working addon for this machine. */
export function loadNative(addonFile: string): Native {
  const module = { exports: {} };
  process.dlopen(module, addonFile, constants.dlopen.RTLD_NOW);
  return module.exports as Native;
}

import { constants } from 'node:os';

/**
 * What native-probes gives to JavaScript: the same names in the same order as native-probes/index.d.ts, and no logic. Only the probe
 * child loads it; the daemon uses the types alone.
 */
export interface Native {
  info(): NativeInfo;
  execute(request: ExecuteRequest): ExecuteResult;
  knownAnswers(sm: number): KnownAnswer[];
  /** Test build only. Throws a RangeError for what does not exist, naming what does. */
  inject?(spec: string): void;
}

export interface NativeInfo {
  readonly apiVersion: number;
  readonly testBuild: boolean;
  readonly backend: string;
  readonly cpuModel: string;
  readonly vendor: string;
  readonly hypervisor: boolean;
  readonly features: readonly string[];
  /** Logical CPUs of the affinity mask. */
  readonly cpus: readonly number[];
  readonly families: readonly NativeFamily[];
}

export interface NativeFamily {
  readonly name: string;
  readonly probeVersion: number;
  readonly lanes: number;
  readonly iterations: number;
  readonly available: boolean;
  readonly missing: string;
  readonly instructions: readonly string[];
}

export interface ExecuteRequest {
  readonly family: string;
  readonly epoch: number;
  readonly index: number;
  readonly sms: readonly number[];
  readonly goldenCpus: readonly number[];
}

export interface ExecuteResult {
  readonly goldenAgreed: boolean;
  readonly goldenCpus: readonly number[];
  readonly goldenCrcOk: boolean;
  readonly expectedDigest: number;
  readonly wallUs: number;
  readonly cpuUs: readonly { readonly cpu: number; readonly us: number }[];
  readonly results: readonly NativeSmResult[];
}

export interface NativeSmResult {
  readonly sm: number;
  readonly result: string;
  readonly reason: string;
  readonly digest: number;
  readonly startUs: number;
  readonly durationUs: number;
  readonly mismatch: NativeMismatch | null;
}

export interface NativeMismatch {
  readonly lane: number;
  readonly iteration: number;
  readonly operands: Uint32Array;
  readonly expected: Uint32Array;
  readonly actual: Uint32Array;
  readonly expectedDigest: number;
  readonly actualDigest: number;
  readonly mismatchCount: number;
}

export interface KnownAnswer {
  readonly family: string;
  readonly passed: number;
  readonly executed: number;
  readonly firstBad: number | null;
}

/** Throws where the file is not a working addon for this machine. */
export function loadNative(addonFile: string): Native {
  const module = { exports: {} };
  process.dlopen(module, addonFile, constants.dlopen.RTLD_NOW);
  return module.exports as Native;
}

/** A value of the configuration; arrays become numbers separated by commas. */
type Value = string | number | readonly number[];

/** A GPU as the fake driver shows it. Further keys are for the other fakes that read the same file. */
export interface FakeDevice {
  /** `GPU-…` or `MIG-…` with 32 hexadecimal digits. */
  uuid?: string;
  name?: string;
  /** Compute capability, e.g. '9.0' (default). */
  cc?: string;
  /** Default 4. */
  sms?: number;
  /** %smid of each SM, ascending; default 0 … sms - 1. */
  smids?: readonly number[];
  /** Default: the largest %smid + 1. */
  nsmid?: number;
  /** Bytes; default 256 MiB. */
  memory?: number;
  /** Bytes of the second-level cache; default 1 MiB. */
  l2?: number;
  /** PCI bus id. */
  pci?: string;
  /** `attribute_133: 1` overrides a CUdevice_attribute. */
  [key: string]: Value | undefined;
}

/** Kinds, fields and windows are described in faults.h. */
export interface FakeFault {
  kind: 'call' | 'hang' | 'stale' | 'arguments' | 'absent' | 'smid' | 'claim' | 'wrong' | 'copy' | 'memory' | 'shared';
  device?: number;
  kernel?: string;
  after?: string;
  from?: number;
  to?: number;
  [key: string]: Value | undefined;
}

export interface FakeMachine {
  driver?: { version?: number; [key: string]: Value | undefined };
  /** Default: one. */
  devices?: readonly FakeDevice[];
  faults?: readonly FakeFault[];
  /** Entries for other fakes, written as they are: `word key=value …`. */
  entries?: readonly { word: string; [key: string]: Value }[];
}

export interface FakeGpu extends Disposable {
  folder: string;
  /** For the process that is to find the GPUs: its libraries are found in `folder` first. */
  env: { LD_LIBRARY_PATH: string };
  /** What processes see that start their driver (cuInit) from now on. */
  configure(machine: FakeMachine): void;
}

/** False where the fake cannot be built: it is x86-64 Linux's. */
export const canBuildFakeGpu: boolean;

/** Builds the fake driver if need be. `libraries`: further files to put beside it. */
export function fakeGpu(machine?: FakeMachine, libraries?: readonly string[]): Promise<FakeGpu>;

import { ProbeFamily } from '@sentinel/contracts/sentinel/v1/common.js';
import type { Family } from '@sentinel/native-probes';

/** Names of the families as native-probes, the command line and metric labels use them. */
export type FamilyName = Family;

interface FamilyFacts {
  readonly wire: ProbeFamily;
  /** The schedule's probe type that runs this family. */
  readonly probe: string;
}

const FAMILIES: Readonly<Record<FamilyName, FamilyFacts>> = {
  fma32: { wire: ProbeFamily.FMA32, probe: 'FMA' },
  int_aes: { wire: ProbeFamily.INT_AES, probe: 'AES' },
  fma64: { wire: ProbeFamily.FMA64, probe: 'FMA' },
  cpu_reg: { wire: ProbeFamily.CPU_REG, probe: 'REGISTER_FILE' },
  cpu_mem: { wire: ProbeFamily.CPU_MEM, probe: 'MEMORY' },
  fma16: { wire: ProbeFamily.FMA16, probe: 'FMA' },
  bf16: { wire: ProbeFamily.BF16, probe: 'FMA' },
  tc_fp16: { wire: ProbeFamily.TC_FP16, probe: 'TENSOR_CORE' },
  tc_bf16: { wire: ProbeFamily.TC_BF16, probe: 'TENSOR_CORE' },
  tc_tf32: { wire: ProbeFamily.TC_TF32, probe: 'TENSOR_CORE' },
  tc_fp8: { wire: ProbeFamily.TC_FP8, probe: 'TENSOR_CORE' },
  tc_int8: { wire: ProbeFamily.TC_INT8, probe: 'TENSOR_CORE' },
  tc_fp64: { wire: ProbeFamily.TC_FP64, probe: 'TENSOR_CORE' },
  sfu: { wire: ProbeFamily.SFU, probe: 'TRANSCENDENTAL' },
  regfile: { wire: ProbeFamily.REGFILE, probe: 'REGISTER_FILE' },
  smem: { wire: ProbeFamily.SMEM, probe: 'SHARED_MEMORY' },
  l2: { wire: ProbeFamily.L2, probe: 'MEMORY' },
  hbm: { wire: ProbeFamily.HBM, probe: 'MEMORY' },
  copy: { wire: ProbeFamily.COPY, probe: 'MEMORY' },
  cpu_libm: { wire: ProbeFamily.CPU_LIBM, probe: 'TRANSCENDENTAL' },
  cpu_bf16: { wire: ProbeFamily.CPU_BF16, probe: 'FMA' },
};

const NAMES = Object.keys(FAMILIES) as readonly FamilyName[];

/** Families of a GPU that is not open yet, so that what it does not run is said. */
export const GPU_FAMILIES: readonly FamilyName[] = NAMES.filter((name) => !name.startsWith('cpu_'));

export function isFamilyName(name: string): name is FamilyName {
  return Object.hasOwn(FAMILIES, name);
}

/** The families that a schedule's probe type stands for; empty for a type that no backend of this release has. */
export function familiesOfProbe(probe: string): FamilyName[] {
  return NAMES.filter((name) => FAMILIES[name].probe === probe);
}

export function probeOf(family: FamilyName): string {
  return FAMILIES[family].probe;
}

export function wireFamily(family: FamilyName): ProbeFamily {
  return FAMILIES[family].wire;
}

/** Undefined for a number that this release does not know. */
export function familyOfWire(wire: ProbeFamily): FamilyName | undefined {
  return NAMES.find((name) => FAMILIES[name].wire === wire);
}

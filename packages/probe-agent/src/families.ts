import { ProbeFamily } from '@sentinel/contracts/sentinel/v1/common.js';

/** Names of the families as native-probes, the command line and metric labels use them. */
export type FamilyName = 'fma32' | 'int_aes' | 'fma64' | 'cpu_reg' | 'cpu_mem';

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
};

const NAMES = Object.keys(FAMILIES) as readonly FamilyName[];

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

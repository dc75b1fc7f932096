import type { Sysfs } from './sysfs.js';

/** Errors that the machine counted since it was started. One that it does not count is absent. */
export interface MachineErrors {
  /** Machine-check exceptions of all CPUs. */
  readonly machineChecks?: number;
  /** Memory errors that ECC corrected, and those that it could not. */
  readonly memoryCorrected?: number;
  readonly memoryUncorrected?: number;
}

const EDAC = 'sys/devices/system/edac/mc';

export async function readMachineErrors(files: Sysfs): Promise<MachineErrors> {
  const controllers = await files.list(EDAC, /^mc\d+$/);
  const sum = async (name: string) =>
    total(await Promise.all(controllers.map((controller) => files.number(`${EDAC}/${controller}/${name}`))));
  const machineChecks = countMachineChecks((await files.text('proc/interrupts')) ?? '');
  const memoryCorrected = await sum('ce_count');
  const memoryUncorrected = await sum('ue_count');
  return {
    ...(machineChecks === undefined ? {} : { machineChecks }),
    ...(memoryCorrected === undefined ? {} : { memoryCorrected }),
    ...(memoryUncorrected === undefined ? {} : { memoryUncorrected }),
  };
}

/** The line "MCE:" of /proc/interrupts: one count for each CPU. */
function countMachineChecks(interrupts: string): number | undefined {
  const line = interrupts.split('\n').find((candidate) => candidate.trimStart().startsWith('MCE:'));
  return line === undefined ? undefined : total((line.match(/\b\d+\b/g) ?? []).map(Number));
}

/** Undefined where there is nothing to add. */
export function total(counts: readonly (number | undefined)[]): number | undefined {
  const known = counts.filter((count) => count !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, count) => sum + count, 0);
}

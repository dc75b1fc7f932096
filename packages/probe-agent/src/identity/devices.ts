import type { FamilyInfo } from '@sentinel/native-probes';
import { expandCpuList } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type FamilyName, isFamilyName } from '../families.js';

/** The SMs of one device, and what names it among the devices of its node. */
export interface Partition {
  readonly part: string;
  readonly sms: readonly number[];
}

/**
 * Divides the logical CPUs that this process may use into devices.
 * @param lists `probe_agent.cpu.devices`; none = one device of them all
 * @throws SentinelError where a list names a CPU that is not there
 */
export function partitions(lists: readonly string[], cpus: readonly number[]): Partition[] {
  if (lists.length === 0) return [{ part: 'all', sms: [...cpus].sort((a, b) => a - b) }];
  return lists.map((part) => {
    const sms = expandCpuList(part);
    const missing = sms.filter((cpu) => !cpus.includes(cpu));
    if (missing.length === 0) return { part, sms };
    throw new SentinelError({
      code: 'INVALID_ARGUMENT',
      field: 'probe_agent.cpu.devices',
      message: `probe_agent.cpu.devices names CPU ${missing.join(', ')}, which this process may not use`,
      hint: `It may use ${cpus.join(', ')}.`,
    });
  });
}

/** Those that can run, of the ones that this release knows. */
export function availableFamilies(families: readonly FamilyInfo[]): FamilyName[] {
  return families
    .filter(({ available }) => available)
    .map(({ name }) => name)
    .filter(isFamilyName);
}

import { readFileSync } from 'node:fs';
import type { Device } from '@sentinel/contracts/sentinel/v1/common.js';
import type { Info, KnownAnswerResult } from '@sentinel/native-probes';
import { expandCpuList } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type FamilyName, isFamilyName, wireFamily } from '../families.js';

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

/** Families that this machine can run. */
export function availableFamilies(info: Info): FamilyName[] {
  return info.families
    .filter(({ available }) => available)
    .map(({ name }) => name)
    .filter(isFamilyName);
}

/** Known answers of each SM, taken when the agent started. */
export type SelfTest = ReadonlyMap<number, readonly KnownAnswerResult[]>;

/** A device as hello and `--list-gpus` describe it. */
export function describeDevice(id: string, sms: readonly number[], info: Info, selfTest: SelfTest): Device {
  return {
    id,
    model: info.cpuModel,
    vendor: info.vendor,
    sms: [...sms],
    driverVersion: microcode(),
    serial: '',
    note: info.hypervisor ? 'vCPU, not a physical core' : '',
    families: availableFamilies(info).map((name) => {
      const family = info.families.find((candidate) => candidate.name === name);
      const answers = sms.flatMap((sm) => selfTest.get(sm)?.find((answer) => answer.family === name) ?? []);
      return {
        family: wireFamily(name),
        probeVersion: family?.probeVersion ?? 0,
        selfTestSmsRun: answers.filter(({ result }) => result === 'PASS' || result === 'FAIL').length,
        selfTestSmsPassed: answers.filter(({ passed }) => passed).length,
        instructions: [...(family?.instructions ?? [])],
      };
    }),
  };
}

/** Microcode of the first CPU, where the kernel shows it: results of other microcode are another cohort. */
function microcode(): string {
  try {
    const revision = /^microcode\s*:\s*(\S+)/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[1];
    return revision === undefined ? '' : `microcode ${revision}`;
  } catch {
    return '';
  }
}

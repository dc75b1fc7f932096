import { readFileSync } from 'node:fs';
import type { Device } from '@sentinel/contracts/sentinel/v1/common.js';
import type { ExecuteRequest, Info } from '@sentinel/native-probes';
import type { ChildReply, ProbeChild } from '../probe-child/probe-child.js';
import { availableFamilies } from './devices.js';
import { describeFamilies, type SelfTest, selfTest } from './self-test.js';
import type { Execution, TestedDevice } from './tested-device.js';

/** Logical CPUs of this machine as one device. All CPU devices share one child: they run one at a time. */
export class CpuDevice implements TestedDevice {
  readonly backend = 'cpu';
  readonly id: string;
  readonly sms: readonly number[];
  readonly families: TestedDevice['families'];
  readonly notScheduled: TestedDevice['notScheduled'];
  readonly switchUs = null;
  readonly #child: Pick<ProbeChild, 'ask'>;
  readonly #info: Info;
  #tested: SelfTest = new Map();
  /** Never called: CPUs stay. */
  onChange: TestedDevice['onChange'] = () => {};

  constructor(id: string, cpus: readonly number[], child: Pick<ProbeChild, 'ask'>, info: Info) {
    this.id = id;
    this.sms = cpus;
    this.families = availableFamilies(info.families);
    this.notScheduled = info.families
      .filter(({ available }) => !available)
      .map(({ name, missing }) => ({
        family: name,
        reason: `this CPU has no ${missing ?? 'support for it'}`,
        failedSelfTest: false,
      }));
    this.#child = child;
    this.#info = info;
  }

  async execute(request: ExecuteRequest, timeoutMs: number): Promise<ChildReply<Execution>> {
    const reply = await this.#child.ask('execute', request, timeoutMs);
    if (reply.kind !== 'answer') return reply;
    const charges = reply.value.cpuUs.map(({ cpu, us }) => ({ unit: cpu, us }));
    return { kind: 'answer', value: { report: reply.value, charges, goldenCharges: [] } };
  }

  async selfTest(): Promise<SelfTest> {
    this.#tested = await selfTest(this.#child, this.sms);
    return this.#tested;
  }

  describe(): Device {
    const { cpuModel, vendor, hypervisor, families } = this.#info;
    return {
      id: this.id,
      model: cpuModel,
      vendor,
      sms: [...this.sms],
      driverVersion: microcode(),
      vbiosVersion: '',
      cudaVersion: '',
      serial: '',
      note: hypervisor ? 'vCPU, not a physical core' : '',
      slot: '',
      families: describeFamilies(families, this.#tested),
    };
  }
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

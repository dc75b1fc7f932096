import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { ExecuteReport } from '@sentinel/native-probes';
import { EXIT } from '@sentinel/service-kit/errors';
import type { FamilyName } from '../families.js';
import type { Testbed } from '../identity/testbed.js';
import type { Execution, TestedDevice } from '../identity/tested-device.js';
import type { ProbeChild } from '../probe-child/probe-child.js';
import { goldenCpus } from '../scheduler/golden-cpus.js';
import type { Answered } from './answered.js';
import { type Slowdown, slowdownOf } from './slowdown.js';
import { table } from './table.js';

const TIMEOUT_MS = 60_000;
const DEFAULT_ITERATIONS = 100;
const U32 = 2 ** 32 - 1;

/** What one execution of a family cost, microseconds: on one SM of a CPU device, on all SMs of a GPU. */
export interface FamilyCosts {
  readonly device: string;
  readonly family: string;
  readonly executions: number;
  readonly failures: number;
  readonly notRun: number;
  /** Of the slowest SM. */
  readonly passUs: Quantiles;
  /** Whole launch, golden included. */
  readonly wallUs: Quantiles;
  /** CPU time of all logical CPUs, golden included. */
  readonly cpuUs: Quantiles;
  /** What the busiest logical CPU, or the GPU, is charged. */
  readonly chargedUs: Quantiles;
  /** What a job on the CPU that is tested loses; null on a GPU, and where it could not be measured. */
  readonly slowdown: Slowdown | null;
  /** Null on a CPU. */
  readonly gpu: GpuCosts | null;
}

export interface GpuCosts {
  /** From the first start of a block to the last end, by the GPU's own clock. */
  readonly deviceUs: Quantiles;
  /** Mean cost of a change of context, measured when the GPU was opened; part of each charge. */
  readonly switchUs: number | null;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const HEADING = [
  'DEVICE',
  'FAMILY',
  'EXECUTIONS',
  'FAILED',
  'NOT RUN',
  ...['PASS', 'WALL', 'CPU', 'CHARGED'].map((what) => `${what} US p50/p99`),
];
const CPU_HEADING = ['MEASURED US p50 (p25-p75)', 'MEASURED/CHARGED'];
const GPU_HEADING = ['DEVICE US p50/p99', 'SWITCH US'];

/** Short rounds, so that little else happens in one, and many: the median keeps out where something did. */
const SLOWDOWN_ROUNDS = 60;
const SLOWDOWN_EXECUTIONS = 1;
const SLOWDOWN_GAP_MS = 1;
const SLOWDOWN_LIMIT_MS = 2_000;

/** Executes each family `iterations` times, SMs of a CPU device in turn, and says what it cost, and a job on the same CPU. */
export async function benchmark(testbed: Testbed, iterations = DEFAULT_ITERATIONS, output?: string): Promise<Answered> {
  const { cpuModel, cpus } = testbed.info;
  const costs: FamilyCosts[] = [];
  for (const { child, devices } of testbed.lanes) {
    for (const device of devices) {
      if (device.backend === 'gpu') await device.selfTest();
      for (const family of device.families) {
        const slowdown = device.backend === 'gpu' ? null : await slowdownBy(child, device, cpus, family);
        costs.push({ ...(await measure(device, cpus, family, iterations)), slowdown });
      }
    }
  }
  if (output !== undefined) {
    writeFileSync(output, `${JSON.stringify({ cpuModel, cpus: cpus.length, families: costs }, null, 2)}\n`);
  }
  const heading = [...HEADING, ...(costs.some(({ gpu }) => gpu !== null) ? GPU_HEADING : CPU_HEADING)];
  const clean = costs.length > 0 && costs.every(({ failures, notRun }) => failures === 0 && notRun === 0);
  return { text: table(heading, costs.map(rowOf)), exitCode: clean ? EXIT.ok : EXIT.negative };
}

function rowOf(costs: FamilyCosts): string[] {
  const { device, family, executions, failures, notRun, passUs, wallUs, cpuUs, chargedUs, gpu, slowdown } = costs;
  const general = [device, family, ...[executions, failures, notRun].map(String)];
  const times = [passUs, wallUs, cpuUs, chargedUs].map(inShort);
  if (gpu !== null) return [...general, ...times, inShort(gpu.deviceUs), gpu.switchUs?.toFixed(0) ?? 'not known'];
  if (slowdown === null) return [...general, ...times, 'not measured', ''];
  const { p25, p50, p75 } = slowdown.measuredUs;
  const measured = `${p50.toFixed(0)} (${p25.toFixed(0)}-${p75.toFixed(0)})`;
  return [...general, ...times, measured, slowdown.ratio.toFixed(2)];
}

function inShort({ p50, p99 }: Quantiles): string {
  return `${p50.toFixed(0)} / ${p99.toFixed(0)}`;
}

/** What a job on the device's first CPU loses to executions there; null where too little could be measured. */
async function slowdownBy(
  child: Pick<ProbeChild, 'ask'>,
  device: TestedDevice,
  cpus: readonly number[],
  family: FamilyName,
): Promise<Slowdown | null> {
  const cpu = device.sms[0] ?? 0;
  const request = {
    family,
    epoch: randomInt(U32),
    index: 0,
    cpu,
    goldenCpus: goldenCpus(cpus, [cpu], 0),
    rounds: SLOWDOWN_ROUNDS,
    executions: SLOWDOWN_EXECUTIONS,
    gapMs: SLOWDOWN_GAP_MS,
    limitMs: SLOWDOWN_LIMIT_MS,
  };
  const reply = await child.ask('measureSlowdown', request, TIMEOUT_MS);
  return reply.kind === 'answer' ? (slowdownOf(reply.value.rounds, SLOWDOWN_EXECUTIONS) ?? null) : null;
}

interface Sample {
  readonly failed: boolean;
  readonly pass: number;
  readonly wall: number;
  readonly cpu: number;
  readonly charged: number;
  /** Null on a CPU. */
  readonly deviceUs: number | null;
}

async function measure(
  device: TestedDevice,
  cpus: readonly number[],
  family: FamilyName,
  iterations: number,
): Promise<Omit<FamilyCosts, 'slowdown'>> {
  const samples: Sample[] = [];
  const epoch = randomInt(U32);
  for (let index = 0; index < iterations; index += 1) {
    const sms = device.backend === 'gpu' ? [...device.sms] : [device.sms[index % device.sms.length] ?? 0];
    const golden = goldenCpus(cpus, device.backend === 'gpu' ? [] : sms, index);
    const reply = await device.execute({ family, epoch, index, sms, goldenCpus: golden }, TIMEOUT_MS);
    if (reply.kind === 'answer' && ran(reply.value.report)) samples.push(sampleOf(reply.value));
  }
  return {
    device: device.id,
    family,
    executions: samples.length,
    failures: samples.filter(({ failed }) => failed).length,
    notRun: iterations - samples.length,
    passUs: quantiles(samples.map(({ pass }) => pass)),
    wallUs: quantiles(samples.map(({ wall }) => wall)),
    cpuUs: quantiles(samples.map(({ cpu }) => cpu)),
    chargedUs: quantiles(samples.map(({ charged }) => charged)),
    gpu: device.backend === 'gpu' ? gpuCosts(device, samples) : null,
  };
}

function gpuCosts({ switchUs }: TestedDevice, samples: readonly Sample[]): GpuCosts {
  return { deviceUs: quantiles(samples.flatMap(({ deviceUs }) => deviceUs ?? [])), switchUs };
}

/** Whether every SM that was to run did. */
function ran({ results }: ExecuteReport): boolean {
  return results.length > 0 && results.every(({ result }) => result === 'PASS' || result === 'FAIL');
}

function sampleOf({ report, charges }: Execution): Sample {
  return {
    failed: report.results.some(({ result }) => result === 'FAIL'),
    pass: Math.max(...report.results.map(({ durationUs }) => durationUs)),
    wall: report.wallUs,
    cpu: report.cpuUs.reduce((sum, { us }) => sum + us, 0),
    charged: Math.max(0, ...charges.map(({ us }) => us)),
    deviceUs: 'gpu' in report ? report.gpu.deviceUs : null,
  };
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

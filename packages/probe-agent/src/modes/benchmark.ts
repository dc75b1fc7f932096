import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { ExecuteReport } from '@sentinel/native-probes';
import { EXIT } from '@sentinel/service-kit/errors';
import type { FamilyName } from '../families.js';
import { devicesOf, type Testbed } from '../identity/testbed.js';
import type { Execution, TestedDevice } from '../identity/tested-device.js';
import { goldenCpus } from '../scheduler/golden-cpus.js';
import type { Answered } from './answered.js';
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
  /** What the budget of the busiest logical CPU, or of the GPU, pays. */
  readonly chargedUs: Quantiles;
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

/** Executes each family `iterations` times, SMs of a CPU device in turn, and says what it cost. */
export async function benchmark(testbed: Testbed, iterations = DEFAULT_ITERATIONS, output?: string): Promise<Answered> {
  const { cpuModel, cpus } = testbed.info;
  const costs: FamilyCosts[] = [];
  for (const device of devicesOf(testbed)) {
    if (device.backend === 'gpu') await device.selfTest();
    for (const family of device.families) costs.push(await measure(device, cpus, family, iterations));
  }
  if (output !== undefined) {
    writeFileSync(output, `${JSON.stringify({ cpuModel, cpus: cpus.length, families: costs }, null, 2)}\n`);
  }
  const rows = costs.map(({ device, family, executions, failures, notRun, passUs, wallUs, cpuUs, chargedUs }) => [
    device,
    family,
    ...[executions, failures, notRun].map(String),
    ...[passUs, wallUs, cpuUs, chargedUs].map(({ p50, p99 }) => `${p50.toFixed(0)} / ${p99.toFixed(0)}`),
  ]);
  const clean = costs.length > 0 && costs.every(({ failures, notRun }) => failures === 0 && notRun === 0);
  return { text: table(HEADING, rows), exitCode: clean ? EXIT.ok : EXIT.negative };
}

interface Sample {
  readonly failed: boolean;
  readonly pass: number;
  readonly wall: number;
  readonly cpu: number;
  readonly charged: number;
}

async function measure(
  device: TestedDevice,
  cpus: readonly number[],
  family: FamilyName,
  iterations: number,
): Promise<FamilyCosts> {
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
  };
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
  };
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { EXIT } from '@sentinel/service-kit/errors';
import type { FamilyName } from '../families.js';
import { availableFamilies } from '../identity/devices.js';
import type { Testbed } from '../identity/testbed.js';
import { goldenCpus } from '../scheduler/golden-cpus.js';
import { table } from './table.js';

const TIMEOUT_MS = 60_000;
const DEFAULT_ITERATIONS = 100;
const U32 = 2 ** 32 - 1;

/** What one execution of a family on one SM cost, microseconds. */
export interface FamilyCosts {
  readonly family: string;
  readonly executions: number;
  readonly failures: number;
  readonly notRun: number;
  readonly passUs: Quantiles;
  /** Whole launch, golden included. */
  readonly wallUs: Quantiles;
  /** CPU time of all logical CPUs, golden included. */
  readonly cpuUs: Quantiles;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Executes each family `iterations` times, SMs in turn, and says what it cost. */
export async function benchmark(
  { child, info }: Testbed,
  iterations = DEFAULT_ITERATIONS,
  output?: string,
): Promise<{ text: string; exitCode: number }> {
  const costs: FamilyCosts[] = [];
  for (const family of availableFamilies(info)) costs.push(await measure(child, info.cpus, family, iterations));
  if (output !== undefined) {
    writeFileSync(
      output,
      `${JSON.stringify({ cpuModel: info.cpuModel, cpus: info.cpus.length, families: costs }, null, 2)}\n`,
    );
  }
  const rows = costs.map(({ family, executions, failures, notRun, passUs, wallUs, cpuUs }) => [
    family,
    ...[executions, failures, notRun].map(String),
    ...[passUs, wallUs, cpuUs].map(({ p50, p99 }) => `${p50.toFixed(0)} / ${p99.toFixed(0)}`),
  ]);
  const heading = ['FAMILY', 'EXECUTIONS', 'FAILED', 'NOT RUN', 'PASS US p50/p99', 'WALL US p50/p99', 'CPU US p50/p99'];
  const clean = costs.every(({ failures, notRun }) => failures === 0 && notRun === 0);
  return { text: table(heading, rows), exitCode: clean ? EXIT.ok : EXIT.negative };
}

async function measure(
  child: Testbed['child'],
  cpus: readonly number[],
  family: FamilyName,
  iterations: number,
): Promise<FamilyCosts> {
  const samples: { pass: number; wall: number; cpu: number }[] = [];
  let failures = 0;
  const epoch = randomInt(U32);
  for (let index = 0; index < iterations; index += 1) {
    const sm = cpus[index % cpus.length] ?? 0;
    const request = { family, epoch, index, sms: [sm], goldenCpus: goldenCpus(cpus, [sm], index) };
    const reply = await child.ask('execute', request, TIMEOUT_MS);
    const result = reply.kind === 'answer' ? reply.value.results[0] : undefined;
    if (reply.kind !== 'answer' || (result?.result !== 'PASS' && result?.result !== 'FAIL')) continue;
    if (result.result === 'FAIL') failures += 1;
    const cpu = reply.value.cpuUs.reduce((sum, { us }) => sum + us, 0);
    samples.push({ pass: result.durationUs, wall: reply.value.wallUs, cpu });
  }
  return {
    family,
    executions: samples.length,
    failures,
    notRun: iterations - samples.length,
    passUs: quantiles(samples.map(({ pass }) => pass)),
    wallUs: quantiles(samples.map(({ wall }) => wall)),
    cpuUs: quantiles(samples.map(({ cpu }) => cpu)),
  };
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

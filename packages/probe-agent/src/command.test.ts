import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AgentProcess } from './testing/agent-process.js';
import { temporaryFolder } from './testing/folder.js';

const root = temporaryFolder();

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  flags: readonly string[],
  { inject, config = {} }: { inject?: string; config?: Record<string, unknown> } = {},
): Promise<Ran> {
  const agent = new AgentProcess(mkdtempSync(join(root, 'run-')));
  const child = agent.start(config, inject === undefined ? { flags } : { flags, inject });
  await new Promise((resolve) => child.once('close', resolve));
  return { code: child.exitCode, stdout: agent.stdout, stderr: agent.stderr };
}

/** Those that this machine has the instructions for, in the order in which they run. */
let families: readonly string[] = [];

test('--list-gpus names the device and what it can run', async () => {
  const { code, stdout } = await run(['--list-gpus']);
  assert.equal(code, 0);
  const listed = /CPU-[0-9a-f-]{36} .* 0,1 .*(fma32,int_aes,fma64,cpu_reg,cpu_mem[a-z0-9_,]*)/.exec(stdout)?.[1];
  families = listed?.split(',') ?? [];
  assert.ok(families.length >= 5, stdout);
});

test('--once sweeps every family over every SM', async () => {
  const { code, stdout } = await run(['--once']);
  assert.equal(code, 0, stdout);
  assert.equal(stdout.match(/ PASS /g)?.length, families.length * 2);
});

test('--once is a negative answer where a unit is wrong', async () => {
  const { code, stdout } = await run(['--once'], { inject: 'core=1,family=int_aes,rate=0.01' });
  assert.equal(code, 1);
  assert.match(stdout, /int_aes +1 +FAIL/);
  assert.match(stdout, /int_aes +0 +PASS/);
});

const MEASUREMENTS = 5;
/** A wrong unit is a thousand times; what other work on the machine adds is much less, but more than a charge may be off. */
const isPlausible = (ratio: number) => ratio > 0.05 && ratio < 20;
const medianOf = (ratios: readonly number[]) => ratios.toSorted((a, b) => a - b)[ratios.length >> 1] ?? 0;

/** What each family costs a job, by what it was charged; 0 = not measured in the time there is. */
async function benchmark(file: string): Promise<number[]> {
  const { code, stdout } = await run(['--mode', 'benchmark', '--iterations', '20', '--output', file]);
  assert.equal(code, 0);
  assert.match(stdout, /fma32 +20 +0 +0/);
  const measured = JSON.parse(readFileSync(file, 'utf8')) as {
    families: {
      family: string;
      executions: number;
      cpuUs: { p50: number };
      slowdown: { ratio: number } | null;
      gpu: null;
    }[];
  };
  assert.match(stdout, /MEASURED US p50 \(p25-p75\) +MEASURED\/CHARGED/);
  assert.deepEqual(
    measured.families.map(({ family, executions }) => [family, executions]),
    families.map((family) => [family, 20]),
  );
  assert.ok(measured.families.every(({ cpuUs }) => cpuUs.p50 > 0));
  return measured.families.map(({ slowdown }) => slowdown?.ratio ?? 0);
}

test('a benchmark prints and writes what executions cost', async () => {
  // Again where other work on the machine hid what a job loses.
  let median = 0;
  for (let measurement = 0; measurement < MEASUREMENTS && !isPlausible(median); measurement += 1)
    median = medianOf(await benchmark(join(root, `benchmark-${measurement}.json`)));
  assert.ok(isPlausible(median), `charges are what a job loses, but not ${median} times`);
});

test('a core that does not exist ends with one sentence that lists the valid ones', async () => {
  const { code, stderr } = await run([], { inject: 'core=99,family=fma32,rate=0.01' });
  assert.equal(code, 2);
  assert.match(stderr, /^--inject: .*no logical CPU 99 here; there are 0(, \d+)*\n$/);
});

test('so does a fault of a GPU where CPUs are tested', async () => {
  for (const gpu of ['0', 'all', 'GPU-11111111-2222-3333-4444-555555555555']) {
    const { code, stderr } = await run([], { inject: `gpu=${gpu},family=sfu`, config: { backend: 'cpu' } });
    assert.deepEqual([code, stderr], [2, '--inject: gpu: no GPU is tested here\n'], gpu);
  }
});

test('the production build does not know --inject', async () => {
  const { code, stderr } = await run(['--inject=core=1']);
  assert.equal(code, 2);
  assert.match(stderr, /unknown flag --inject/);
});

test('what the configuration asks for and this machine lacks is status 78 with the key', async () => {
  const devices = await run([], { config: { cpu: { devices: ['0-63'] } } });
  assert.deepEqual([devices.code, /probe_agent\.cpu\.devices/.test(devices.stderr)], [78, true], devices.stderr);
  const backend = await run([], { config: { backend: 'cuda' } });
  assert.deepEqual([backend.code, /probe_agent\.backend/.test(backend.stderr)], [78, true], backend.stderr);
  const schedule = await run([], { config: { schedule_file: '/nowhere.yaml' } });
  assert.equal(schedule.code, 78);
});

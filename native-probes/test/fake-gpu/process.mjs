// The release's addon in a process that finds the fake GPU, as the agent's probe child does.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { addonPath } from '../../index.js';
import { fakeGpu } from './index.mjs';

const CALLER = join(import.meta.dirname, 'call-addon.mjs');
const DEADLINE_MS = 120_000;

async function collect(child, deadlineMs) {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  const [status, signal] = await new Promise((resolve) => child.once('close', (...end) => resolve(end)));
  clearTimeout(timer);
  const outcomes = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return { outcomes, status, signal, stderr };
}

/**
 * @param calls array of [function of the addon, argument]
 * @returns outcomes of the calls that returned or threw, and how the process ended
 */
export function callAddon(env, calls, { deadlineMs = DEADLINE_MS, test = false } = {}) {
  const child = spawn(process.execPath, [CALLER, addonPath({ test }), JSON.stringify(calls)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return collect(child, deadlineMs);
}

export const UUID = 'GPU-00000000-0000-4000-8000-000000000001';

/** What gpuOpen is told unless the test says otherwise: the fake's first device. */
export const open = (rest = {}) => [
  'gpuOpen',
  { uuid: UUID, streamPriority: 0, useGraphs: true, variant: 'full', ...rest },
];

/** Opens the device and calls; everything must return. @returns what gpuOpen and the calls returned */
export async function onGpu(machine, calls, openWith = {}, options = {}) {
  using gpu = await fakeGpu(machine);
  const { outcomes, status, signal, stderr } = await callAddon(gpu.env, [open(openWith), ...calls], options);
  const thrown = outcomes.find((outcome) => outcome.thrown !== undefined);
  if (thrown !== undefined) throw new Error(thrown.thrown);
  if (status !== 0) throw new Error(`the process ended with ${signal ?? status}: ${stderr}`);
  return outcomes.map(({ returned }) => returned);
}

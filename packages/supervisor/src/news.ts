import { count, directiveText, injectedMark, paint, paintState, shortIds } from '@sentinel/cli/views';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import type { GpuHealth } from '@sentinel/contracts/sentinel/v1/health.js';
import type { ProcessStatus } from './managed-process.js';
import { gatesText, type Snapshot } from './status-view.js';

/** What happened between two looks, as lines that stay: deaths of services, states of devices and why. */
export function news(before: Snapshot | null, now: Snapshot): string[] {
  const processes = now.processes.flatMap((process, i) => processNews(before?.processes[i], process));
  const short = shortIds((now.fleet?.gpus ?? []).map(({ gpu }) => gpu));
  const fleet = devices(before, now).flatMap(([old, gpu]) =>
    deviceNews(old, gpu, before, now).map((line) => `${short.get(gpu.gpu)} ${line}`),
  );
  return [...processes, ...engineNews(before, now), ...fleet];
}

/** What the status shows anyway where it is redrawn: every start of a service, every tenth of a directive. */
export function progress(before: Snapshot | null, now: Snapshot): string[] {
  const processes = now.processes.flatMap((process, i) => startOf(before?.processes[i], process));
  return [...processes, ...devices(before, now).flatMap(([old, gpu]) => directiveProgress(old, gpu))];
}

function processNews(before: ProcessStatus | undefined, now: ProcessStatus): string[] {
  const died = now.restarts > (before?.restarts ?? 0);
  const said = now.lastWords === '' ? '' : ` (${now.lastWords})`;
  return died ? [`${paint('red', now.name)} ${now.lastEnd}${said}; it is started again`] : [];
}

function startOf(before: ProcessStatus | undefined, now: ProcessStatus): string[] {
  const started = now.state === 'starting' || now.state === 'running';
  if (!started || (before?.state === now.state && before.pid === now.pid)) return [];
  return [`${now.name} ${now.state === 'running' ? 'ready' : 'starting'} (pid ${now.pid})`];
}

function engineNews(before: Snapshot | null, now: Snapshot): string[] {
  const wasAway = before !== null && before.problem !== '';
  if (now.problem === '') return wasAway ? ['the engine answers again'] : [];
  return wasAway ? [] : [`the engine does not answer: ${now.problem}`];
}

/** `now`, with the fleet as it was known before where the engine did not answer: what it says next is news only if it is new. */
export function remember(before: Snapshot | null, now: Snapshot): Snapshot {
  return now.fleet === null && before !== null ? { ...now, fleet: before.fleet, gates: before.gates } : now;
}

/** Devices with what was known of them. */
function devices(before: Snapshot | null, now: Snapshot): [GpuHealth | undefined, GpuHealth][] {
  const known = new Map((before?.fleet?.gpus ?? []).map((gpu) => [gpu.gpu, gpu]));
  return (now.fleet?.gpus ?? []).map((gpu) => [known.get(gpu.gpu), gpu]);
}

function deviceNews(old: GpuHealth | undefined, gpu: GpuHealth, before: Snapshot | null, now: Snapshot): string[] {
  const lines = [wrongResults(old, gpu), stateNews(old, gpu), ...gateNews(gpu.gpu, before, now), presence(old, gpu)];
  return lines.filter((line) => line !== '');
}

/** Only the first ones of a healthy device: those of a burst are its progress. */
function wrongResults(old: GpuHealth | undefined, gpu: GpuHealth): string {
  if (old === undefined || old.state !== GpuState.HEALTHY || gpu.failures <= old.failures) return '';
  const mark = gpu.injected ? ` ${injectedMark(true)}` : '';
  return `${paint('red', `${count(gpu.failures - old.failures)} wrong`)} of ${count(gpu.executions - old.executions)} executions${mark}`;
}

function stateNews(old: GpuHealth | undefined, gpu: GpuHealth): string {
  if (old?.state === gpu.state && old.injected === gpu.injected) return '';
  const from = old === undefined || old.state === gpu.state ? '' : `${paintState(old.state)} -> `;
  const mark = gpu.injected ? ` ${injectedMark(true)}` : '';
  return `${from}${paintState(gpu.state)}${mark}${gpu.summary === '' ? '' : `: ${gpu.summary}`}`;
}

function gateNews(gpu: string, before: Snapshot | null, now: Snapshot): string[] {
  const verdicts = gatesText(now.gates.get(gpu) ?? []);
  return verdicts === gatesText(before?.gates.get(gpu) ?? []) || verdicts === '' ? [] : [`gates: ${verdicts}`];
}

function presence(old: GpuHealth | undefined, gpu: GpuHealth): string {
  if (old === undefined || old.connected === gpu.connected) return '';
  return gpu.connected ? 'is connected again' : 'has no connected agent';
}

const TENTHS = 10n;

function directiveProgress(old: GpuHealth | undefined, gpu: GpuHealth): string[] {
  const shown = new Set(old === undefined ? [] : steps(old).map(([key]) => key));
  return steps(gpu).flatMap(([key, text]) => (shown.has(key) ? [] : [text]));
}

/** Directives with a key that changes with every tenth of the work, and at its end. */
function steps(gpu: GpuHealth): [key: string, text: string][] {
  return gpu.directives
    .filter((directive) => directive.wanted > 0n)
    .map((directive) => {
      const tenth = (directive.done * TENTHS) / directive.wanted;
      return [`${directive.id} ${tenth} ${directive.finished}`, directiveText(directive)];
    });
}

import type { GpuHealth } from '@sentinel/contracts/sentinel/v1/health.js';
import { directiveText } from './fleet.js';
import { count, injectedMark, paint, paintState } from './format.js';

/** One thing that happened to a device between two looks at it. */
export interface Change {
  readonly gpu: string;
  readonly text: string;
}

/** Devices as they were when last looked at, by id. */
export type Known = ReadonlyMap<string, GpuHealth>;

/**
 * What is new, in the order of the devices; one that is not known is shown as it stands.
 * @param transitions false = somebody else says when a state changes
 */
export function changes(before: Known, now: readonly GpuHealth[], transitions = true): Change[] {
  return now.flatMap((gpu) => {
    const old = before.get(gpu.gpu);
    const texts =
      old === undefined
        ? [standing(gpu), ...progressOf(gpu).map(([, text]) => text)]
        : differences(old, gpu, transitions);
    return texts.map((text) => ({ gpu: gpu.gpu, text }));
  });
}

function standing(gpu: GpuHealth): string {
  const away = gpu.connected ? '' : ` ${paint('yellow', 'away')}`;
  return `${stateOf(gpu)}${away}${gpu.summary === '' ? '' : `: ${gpu.summary}`}`;
}

function stateOf(gpu: GpuHealth): string {
  return [paintState(gpu.state), injectedMark(gpu.injected)].filter((part) => part !== '').join(' ');
}

function differences(old: GpuHealth, gpu: GpuHealth, transitions: boolean): string[] {
  const shown = new Set(progressOf(old).map(([key]) => key));
  const moved = old.state !== gpu.state;
  const changed = moved ? transitions : old.summary !== gpu.summary || old.injected !== gpu.injected;
  const wrong = gpu.failures - old.failures;
  return [
    wrong > 0n
      ? `${paint('red', `${count(wrong)} wrong`)} of ${count(gpu.executions - old.executions)} executions`
      : '',
    changed ? `${moved ? `${paintState(old.state)} -> ` : ''}${standing(gpu)}` : '',
    old.connected === gpu.connected ? '' : gpu.connected ? 'back' : paint('yellow', 'away'),
    ...progressOf(gpu).flatMap(([key, text]) => (shown.has(key) ? [] : [text])),
  ].filter((text) => text !== '');
}

const STEPS = 10n;

/** Directives with a key that changes with every tenth of the work, and at its end. */
function progressOf(gpu: GpuHealth): [key: string, text: string][] {
  return gpu.directives.map((directive) => {
    const tenth = directive.wanted > 0n ? (directive.done * STEPS) / directive.wanted : 0n;
    return [`${directive.id} ${tenth} ${directive.finished}`, directiveText(directive)];
  });
}

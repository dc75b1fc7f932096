import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import type { GpuHealth } from '@sentinel/contracts/sentinel/v1/health.js';
import { EXIT } from '@sentinel/service-kit/errors';
import type { Context } from '../context.js';
import { failureOf } from '../failure.js';
import { changes, paint, time } from '../views/index.js';

/** Prints what changes until Ctrl-C. A service that goes away later is waited for; one that is not there at first is an error. */
export async function watch(context: Context, intervalMs: number): Promise<number> {
  const engine = context.engine();
  let before: readonly GpuHealth[] | null = null;
  let away = '';
  while (!context.signal.aborted) {
    try {
      const { gpus } = await engine.fleet();
      if (away !== '') say(context, '', paint('green', 'the engine answers again'));
      away = '';
      for (const { gpu, text } of changes(before, gpus)) say(context, gpu, text);
      before = gpus;
    } catch (error) {
      if (before === null) throw error;
      const { sentence } = failureOf(error);
      if (away !== sentence) say(context, '', paint('yellow', sentence));
      away = sentence;
    }
    await sleep(intervalMs, undefined, { signal: context.signal }).catch(() => undefined);
  }
  return EXIT.ok;
}

/** One line for one change; JSON: one object on a line, `gpu` empty for the service itself. */
function say({ json, stdout, nowUs }: Context, gpu: string, text: string): void {
  const now = nowUs();
  const line = json
    ? JSON.stringify({ timeUs: Number(now), gpu, text: stripVTControlCharacters(text) })
    : [time(now), gpu, text].filter((part) => part !== '').join('  ');
  stdout.write(`${line}\n`);
}

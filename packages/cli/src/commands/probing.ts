import { readFileSync } from 'node:fs';
import { EXIT } from '@sentinel/service-kit/errors';
import type { Context } from '../context.js';
import { usageError } from '../failure.js';
import { time } from '../views/format.js';

/** @param durationMs 0 = until it is resumed */
export async function pauseGpu(context: Context, id: string, durationMs: number, reason: string): Promise<number> {
  const paused = await context.engine().pause(id, BigInt(durationMs), reason);
  const until = paused.untilUs === 0n ? 'until it is resumed' : `until ${time(paused.untilUs)}`;
  context.answer(paused, () => `${paused.gpu} runs nothing ${until}; its coverage ages meanwhile.\n`);
  return EXIT.ok;
}

export async function resumeGpu(context: Context, id: string, reason: string): Promise<number> {
  const resumed = await context.engine().resume(id, reason);
  context.answer(resumed, () => `${resumed.gpu} is tested again.\n`);
  return EXIT.ok;
}

export async function setSchedule(context: Context, node: string, file: string, reason: string): Promise<number> {
  const { version } = await context.engine().schedule(node, textOf(file), reason);
  context.answer({ node, version }, () => `The agent of ${node} follows this schedule, version ${version}.\n`);
  return EXIT.ok;
}

export async function clearSchedule(context: Context, node: string, reason: string): Promise<number> {
  await context.engine().schedule(node, '', reason);
  context.answer({ node }, () => `The agent of ${node} follows its own file again.\n`);
  return EXIT.ok;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usageError('FILE', `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
}

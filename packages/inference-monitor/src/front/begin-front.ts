import { readFileSync } from 'node:fs';
import type { StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { VERSION } from '@sentinel/service-kit/version';
import { endsContainer } from './container.js';
import { type FrontConfig, frontSettings } from './settings.js';
import { FrontSupervisor } from './supervise.js';

export interface FrontShell {
  readonly config: () => FrontConfig;
  readonly stack: StopStack;
  readonly log: Logger;
}

/**
 * Sees to it that requests pass. The front goes on when the analyser dies or is stopped, except in a container, and where a person ends it with Ctrl-C:
 * then what is in flight ends first.
 * @returns null where the configuration does not say what would pass where
 */
export async function beginFront({ config, stack, log }: FrontShell): Promise<FrontSupervisor | null> {
  const settings = frontSettings(config(), VERSION);
  if (typeof settings === 'string') {
    log.warn(`no traffic passes: ${settings}`);
    return null;
  }
  const supervisor = new FrontSupervisor(settings, log);
  let interrupted = false;
  process.once('SIGINT', () => {
    interrupted = true;
  });
  stack.push('front', () => {
    if (interrupted || endsContainer(process.ppid, nameOfFirst())) return supervisor.drain();
    supervisor.leave();
    return undefined;
  });
  const address = await supervisor.start();
  log.info({ listen: address, upstream: settings.upstream, sampling: settings.samplingRate }, 'requests pass');
  return supervisor;
}

function nameOfFirst(): string {
  try {
    return readFileSync('/proc/1/comm', 'utf8');
  } catch {
    return '';
  }
}

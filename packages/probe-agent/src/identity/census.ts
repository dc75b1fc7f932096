import type { GpuCensus, Info } from '@sentinel/native-probes';
import { SentinelError } from '@sentinel/service-kit/errors';
import { driverEnv } from '../probe-child/child-env.js';
import { ProbeChild } from '../probe-child/probe-child.js';
import { injectionsOf, refusedInjection } from './injections.js';
import type { LaneOptions } from './lane.js';

/** Drivers of many GPUs take seconds to start. */
const TIMEOUT_MS = 30_000;

export interface Census {
  readonly info: Info;
  readonly gpus: GpuCensus;
}

/**
 * Asks the driver for its GPUs, in a child that ends afterwards: a driver that hangs or crashes takes nobody with it.
 * @throws SentinelError INVALID_ARGUMENT for a fault that cannot be injected here, UNAVAILABLE where the driver hangs or crashes: its GPUs are not known, so they cannot even be NOT_RUN
 */
export async function takeCensus({ addonFile, injections }: LaneOptions): Promise<Census> {
  const child = new ProbeChild({
    addonFile,
    role: 'probes',
    env: driverEnv(process.env),
    prelude: injectionsOf(injections),
  });
  try {
    const info = await child.ask('info', null, TIMEOUT_MS);
    if (info.kind === 'unprepared') throw refusedInjection(info.reason);
    const gpus = await child.ask('gpuCensus', null, TIMEOUT_MS);
    if (info.kind === 'answer' && gpus.kind === 'answer') return { info: info.value, gpus: gpus.value };
    const failed = info.kind === 'answer' ? gpus : info;
    throw new SentinelError({
      code: 'UNAVAILABLE',
      message: `the GPUs of this node are not known: ${failed.kind === 'answer' ? '' : failed.reason}`,
      hint: 'Run nvidia-smi: if it hangs too, the driver needs a restart. To test CPUs alone set probe_agent.backend to cpu.',
    });
  } finally {
    await child.stop();
  }
}

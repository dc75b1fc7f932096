import type { Info } from '@sentinel/native-probes';
import { SentinelError } from '@sentinel/service-kit/errors';
import { ProbeChild } from '../probe-child/probe-child.js';
import type { Settings } from '../settings.js';
import { CpuDevice } from './cpu-device.js';
import { injectionsOf, refusedInjection } from './injections.js';
import { type Lane, type LaneOptions, START_TIMEOUT_MS } from './lane.js';
import { nodeFolder } from './node-folder.js';
import { deviceIds } from './saved-ids.js';

/**
 * Starts the child that tests the CPUs of this machine.
 * @throws SentinelError INVALID_ARGUMENT for a fault that cannot be injected here, UNAVAILABLE where the child does not run
 */
export async function openCpuLane(
  { addonFile, injections, save }: LaneOptions,
  { config, partitions }: Settings,
): Promise<{ readonly info: Info; readonly lane: Lane }> {
  const child = new ProbeChild({ addonFile, role: 'probes', env: {}, prelude: injectionsOf(injections) });
  const reply = await child.ask('info', null, START_TIMEOUT_MS);
  if (reply.kind === 'answer') {
    const parts = partitions.map(({ part }) => part);
    const ids = deviceIds(nodeFolder(config), config.node_name, parts, save);
    const devices = partitions.map(({ sms }, k) => new CpuDevice(ids[k] ?? '', sms, child, reply.value));
    return { info: reply.value, lane: { child, devices } };
  }
  await child.stop();
  if (reply.kind === 'unprepared') throw refusedInjection(reply.reason);
  throw new SentinelError({
    code: 'UNAVAILABLE',
    message: `node ${config.node_name} cannot run probes: ${reply.reason}`,
    hint: `Check that ${addonFile} was built for this machine.`,
  });
}

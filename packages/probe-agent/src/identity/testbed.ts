import type { Info } from '@sentinel/native-probes';
import { SentinelError } from '@sentinel/service-kit/errors';
import { ProbeChild } from '../probe-child/probe-child.js';
import type { Testable } from '../scheduler/directive-plan.js';
import type { Settings } from '../settings.js';
import { availableFamilies } from './devices.js';
import { nodeFolder } from './node-folder.js';
import { deviceIds } from './saved-ids.js';

const OPEN_TIMEOUT_MS = 10_000;

/** The machine as the probes see it, and the child that runs them. */
export interface Testbed {
  readonly addonFile: string;
  readonly child: ProbeChild;
  readonly info: Info;
}

/**
 * Starts the probe child.
 * @throws SentinelError INVALID_ARGUMENT for a fault that cannot be injected here, UNAVAILABLE where the child does not run
 */
export async function openTestbed(
  addonFile: string,
  injections: readonly string[],
  { config }: Settings,
): Promise<Testbed> {
  const child = new ProbeChild({ addonFile, injections });
  const reply = await child.ask('info', null, OPEN_TIMEOUT_MS);
  if (reply.kind === 'answer') return { addonFile, child, info: reply.value };
  await child.stop();
  if (reply.kind === 'refused') {
    throw new SentinelError({
      code: 'INVALID_ARGUMENT',
      message: `--inject: ${reply.reason.replace(/^inject: /, '')}`,
    });
  }
  throw new SentinelError({
    code: 'UNAVAILABLE',
    message: `node ${config.node_name} cannot run probes: ${reply.reason}`,
    hint: `Check that ${addonFile} was built for this machine.`,
  });
}

/** The devices of this node. @param save keep ids that are new; a command that only looks does not */
export function devicesOf(settings: Settings, info: Info, save: boolean): Testable[] {
  const { config, partitions } = settings;
  const parts = partitions.map(({ part }) => part);
  const ids = deviceIds(nodeFolder(config), config.node_name, parts, save);
  return partitions.map(({ sms }, k) => ({ id: ids[k] ?? '', sms, families: availableFamilies(info) }));
}

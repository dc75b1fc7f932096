import type { Info } from '@sentinel/native-probes';
import type { Settings } from '../settings.js';
import { takeCensus } from './census.js';
import { openCpuLane } from './cpu-lane.js';
import { gpuLanes } from './gpu-lanes.js';
import { withGpuIds } from './injections.js';
import type { Lane, LaneOptions, Remark } from './lane.js';
import type { TestedDevice } from './tested-device.js';

/** The machine as the probes see it. */
export interface Testbed {
  readonly addonFile: string;
  readonly info: Info;
  readonly lanes: readonly Lane[];
  readonly remarks: readonly Remark[];
}

/**
 * Finds the devices that this node tests: its GPUs where there are any, unless the configuration says otherwise.
 * @throws ConfigError for GPUs that are asked for and not there
 * @throws SentinelError INVALID_ARGUMENT for a fault that cannot be injected here, UNAVAILABLE where no probe can run
 */
export async function openTestbed(options: LaneOptions, settings: Settings): Promise<Testbed> {
  const { addonFile } = options;
  const { backend } = settings.config;
  if (backend === 'cpu') return openCpus(options, settings, []);
  const { info, gpus } = await takeCensus(options);
  const { lanes, remarks } = gpuLanes(options, settings, gpus.devices);
  if (lanes.length > 0) return { addonFile, info, lanes, remarks };
  const sentences = [...remarks.map(({ sentence }) => sentence), gpus.missing ?? 'the driver shows no GPU to test'];
  const reason = sentences.join('; ');
  if (backend === 'cuda') throw settings.refuse('backend', `cuda needs a GPU: ${reason}`);
  return openCpus(options, settings, [...remarks, { deviceId: '', sentence: `${reason}: CPUs are tested` }]);
}

export async function stopTestbed({ lanes }: Pick<Testbed, 'lanes'>): Promise<void> {
  await Promise.all(lanes.map(({ child }) => child.stop()));
}

export function devicesOf({ lanes }: Pick<Testbed, 'lanes'>): readonly TestedDevice[] {
  return lanes.flatMap(({ devices }) => devices);
}

async function openCpus(options: LaneOptions, settings: Settings, remarks: readonly Remark[]): Promise<Testbed> {
  const injections = withGpuIds(options.injections, [], []);
  const { info, lane } = await openCpuLane({ ...options, injections }, settings);
  return { addonFile: options.addonFile, info, lanes: [lane], remarks };
}

import { readFileSync } from 'node:fs';
import type { GpuDevice as SeenGpu } from '@sentinel/native-probes';
import { gpuEnv } from '../probe-child/child-env.js';
import { ProbeChild } from '../probe-child/probe-child.js';
import type { Asked } from '../probe-child/protocol.js';
import type { Settings } from '../settings.js';
import { GpuDevice } from './gpu-device.js';
import { injectionsOf, withGpuIds } from './injections.js';
import { knownGpus, rememberGpus } from './known-gpus.js';
import type { Lane, LaneOptions, Remark } from './lane.js';
import { nodeFolder } from './node-folder.js';
import { selectGpus } from './select-gpus.js';

/** Context, kernels, arena and the calibration of the switch cost. */
const OPEN_TIMEOUT_MS = 60_000;

const HINT = ' (if it shall not be, list it in probe_agent.discovery.exclude_gpu_uuids)';

/**
 * A lane for each GPU that is to be tested, and what is said about the others. The children start with their first question.
 * @throws SentinelError INVALID_ARGUMENT for a fault of a GPU that is not tested
 */
export function gpuLanes(
  options: LaneOptions,
  settings: Settings,
  census: readonly SeenGpu[],
): { readonly lanes: Lane[]; readonly remarks: Remark[] } {
  const { config } = settings;
  const folder = nodeFolder(config);
  const { tested, left } = selectGpus(census, config.discovery, knownGpus(folder));
  if (options.save) rememberGpus(folder, [...tested.map(({ uuid }) => uuid), ...left.map(({ id }) => id)]);
  const bootId = bootIdOf();
  const ids = tested.map(({ uuid }) => uuid);
  const injections =
    tested.length === 0
      ? []
      : withGpuIds(
          options.injections,
          census.map(({ uuid }) => uuid),
          ids,
        );
  return {
    lanes: tested.map((seen) => laneOf(seen, { ...options, injections }, settings, bootId)),
    remarks: left.map(({ id, reason }) => ({ deviceId: id, sentence: `${id} is not tested: ${reason}${HINT}` })),
  };
}

function laneOf(
  seen: SeenGpu,
  { addonFile, injections }: LaneOptions,
  { config: { kernel }, tolerances }: Settings,
  bootId: string,
): Lane {
  const open: Asked = {
    call: 'gpuOpen',
    argument: {
      uuid: seen.uuid,
      streamPriority: kernel.stream_priority,
      useGraphs: kernel.use_cuda_graphs,
      variant: kernel.variant,
    },
    timeoutMs: OPEN_TIMEOUT_MS,
  };
  const child: ProbeChild = new ProbeChild({
    role: 'probes',
    addonFile,
    env: gpuEnv(process.env, seen.uuid),
    // Open, it can say whether it has the SM of a fault.
    prelude: [open, ...injectionsOf(injections)],
    onPrelude: (outcome) => device.prelude(outcome),
  });
  const device = new GpuDevice({ seen, child, selfTestQuorum: tolerances.selfTestQuorum, bootId });
  return { child, devices: [device] };
}

function bootIdOf(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

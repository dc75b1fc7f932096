import type { GpuDevice } from '@sentinel/native-probes';
import type { ProbeAgentConfig } from '@sentinel/service-kit/config';

export interface Selection {
  readonly tested: readonly GpuDevice[];
  /** GPUs that are not tested though nobody excluded them: id and why. */
  readonly left: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * Which GPUs of the census are tested.
 * @param known GPUs that this node tested when its agent started last
 */
export function selectGpus(
  census: readonly GpuDevice[],
  discovery: ProbeAgentConfig['discovery'],
  known: readonly string[],
): Selection {
  const excluded = new Set(discovery.exclude_gpu_uuids);
  const wanted = discovery.auto_detect
    ? [...new Set([...census.map(({ uuid }) => uuid), ...known])]
    : discovery.gpu_uuids;
  const tested: GpuDevice[] = [];
  const left: { id: string; reason: string }[] = [];
  for (const id of new Set(wanted)) {
    if (excluded.has(id)) continue;
    const device = census.find(({ uuid }) => uuid === id);
    if (device === undefined) left.push({ id, reason: 'the driver does not show it' });
    else if (device.architecture === null || device.missing !== null)
      left.push({ id, reason: device.missing ?? 'there are no kernels for its architecture' });
    else tested.push(device);
  }
  return { tested, left };
}

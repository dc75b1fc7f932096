import { SentinelError } from '@sentinel/service-kit/errors';
import type { Asked } from '../probe-child/protocol.js';

/** A process that is new has that long to take a fault. */
const TIMEOUT_MS = 60_000;

/** The part of a fault's text that names a GPU. */
const GPU = /(?<=^|,)gpu=([^,]*)/;

export function injectionsOf(specs: readonly string[]): Asked[] {
  return specs.map((spec) => ({ call: 'inject', argument: spec, timeoutMs: TIMEOUT_MS }));
}

/** A fault of `--inject` that the native code does not take. */
export function refusedInjection(reason: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', message: `--inject: ${reason.replace(/^inject: /, '')}` });
}

/**
 * The same faults with GPUs named by their ids: a child that sees one GPU alone cannot tell its place among those of the node.
 * @param gpus ids in the order of the census
 * @param tested those of them that are tested
 * @throws SentinelError INVALID_ARGUMENT for a GPU that is not tested here, with those that are
 */
export function withGpuIds(specs: readonly string[], gpus: readonly string[], tested: readonly string[]): string[] {
  return specs.map((spec) => {
    const named = GPU.exec(spec)?.[1];
    if (named === undefined) return spec;
    if (named === 'all' && tested.length > 0) return spec;
    const id = /^\d+$/.test(named) ? gpus[Number(named)] : named;
    if (id === undefined || !tested.includes(id)) throw refusedInjection(`gpu: ${unknownGpu(named, gpus, tested)}`);
    return spec.replace(GPU, `gpu=${id}`);
  });
}

function unknownGpu(named: string, gpus: readonly string[], tested: readonly string[]): string {
  if (tested.length === 0) return 'no GPU is tested here';
  const there = gpus.flatMap((id, place) => (tested.includes(id) ? [`${place} (${id})`] : []));
  return `no GPU ${named} is tested here; there are ${there.join(', ')}`;
}

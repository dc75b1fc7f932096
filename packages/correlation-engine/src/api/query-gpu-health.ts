import type { QueryGpuHealthResponse } from '@sentinel/contracts/sentinel/v1/health.js';
import type { Committer } from '../commit/committer.js';
import type { DeviceState } from '../core.js';
import type { LatestTelemetry } from '../telemetry/latest.js';
import { gpuHealth } from './health-view.js';

/** One device, and what its sensors said last. */
export function queryGpuHealth(
  committer: Committer,
  telemetry: LatestTelemetry,
  device: DeviceState,
): QueryGpuHealthResponse {
  const latest = telemetry.of(device.id);
  return {
    health: gpuHealth(committer, device),
    telemetry:
      latest === undefined
        ? undefined
        : { timeUs: BigInt(latest.timeUs), values: { ...latest.values }, texts: { ...latest.texts } },
  };
}

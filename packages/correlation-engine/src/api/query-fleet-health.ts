import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import type { QueryFleetHealthRequest, QueryFleetHealthResponse } from '@sentinel/contracts/sentinel/v1/health.js';
import type { Committer } from '../commit/committer.js';
import { fleetSummary, gpuHealth } from './health-view.js';
import { pageLimit } from './limits.js';

/** Devices in the order of their ids; a page token is the last id of the page before. */
export function queryFleetHealth(
  committer: Committer,
  outboxPending: number,
  request: QueryFleetHealthRequest,
): QueryFleetHealthResponse {
  const limit = pageLimit(request.limit);
  const matching = [...committer.state.devices.values()]
    .filter((device) => device.id > request.pageToken)
    .filter((device) => device.node.startsWith(request.nodePrefix))
    .filter((device) => request.model === '' || device.model === request.model)
    .filter((device) => request.state === GpuState.UNSPECIFIED || GpuState[device.state] === request.state)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const page = matching.slice(0, limit);
  return {
    gpus: page.map((device) => gpuHealth(committer, device)),
    nextPageToken: matching.length > limit ? (page.at(-1)?.id ?? '') : '',
    summary: fleetSummary(committer, outboxPending),
  };
}

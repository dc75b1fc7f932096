import type { ProbeFamily } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  Incident_State,
  type IncidentCohort,
  type ListIncidentsRequest,
  type ListIncidentsResponse,
  type Incident as Message,
} from '@sentinel/contracts/sentinel/v1/incidents.js';
import {
  type GetRateLimitResponse,
  type ResetRateLimitRequest,
  type ResetRateLimitResponse,
  ResolveIncidentRequest_Resolution as Resolution,
  type ResolveIncidentRequest,
  type ResolveIncidentResponse,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import type { Identity } from '@sentinel/service-kit/auth';
import type { Clock } from '@sentinel/service-kit/clock';
import type { SentinelError } from '@sentinel/service-kit/errors';
import type { Committer } from '../commit/committer.js';
import {
  type CoreState,
  type FleetOrderRecord,
  type Incident,
  membersOf,
  parseCohort,
  type Refusal,
  rateLimitUse,
  roomUs,
} from '../core.js';
import { checkText, invalid, MAX_ID_BYTES, MAX_REASON_BYTES, refused } from './order-checks.js';

/** Devices named in an incident; the rest are counted. */
const MAX_NAMED = 100;
const DECISIONS = new Map<Resolution, 'CONFIRM' | 'RELEASE'>([
  [Resolution.CONFIRM, 'CONFIRM'],
  [Resolution.RELEASE, 'RELEASE'],
]);

/** What concerns the fleet rather than one device: incidents and the limit of automatic quarantines. */
export class FleetOrders {
  readonly #committer: Committer;
  readonly #clock: Clock;

  constructor(committer: Committer, clock: Clock) {
    this.#committer = committer;
    this.#clock = clock;
  }

  list({ active }: ListIncidentsRequest): ListIncidentsResponse {
    const { state } = this.#committer;
    const shown = state.fleet.incidents.filter(({ endedUs }) => !active || endedUs === null);
    const byAge = shown.toSorted(
      (a, b) => Number(b.endedUs === null) - Number(a.endedUs === null) || b.openedUs - a.openedUs,
    );
    return { incidents: byAge.map((incident) => toMessage(state, incident)) };
  }

  /** @throws SentinelError INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION or UNAVAILABLE */
  async resolve(request: ResolveIncidentRequest, caller: Identity): Promise<ResolveIncidentResponse> {
    const { incident: id, resolution, reason } = request;
    const decision = DECISIONS.get(resolution);
    if (decision === undefined) throw invalid('resolution', `must be one of ${[...DECISIONS.values()].join(', ')}`);
    checkText('incident', id, MAX_ID_BYTES);
    checkText('reason', reason, MAX_REASON_BYTES);
    const actor = caller.subject;
    await this.#submit({ kind: 'incident-order', incident: id, decision, reason, actor });
    const { state } = this.#committer;
    const incident = state.fleet.incidents.find((entry) => entry.id === id);
    return { incident: incident === undefined ? undefined : toMessage(state, incident) };
  }

  rateLimit(): GetRateLimitResponse {
    const { state } = this.#committer;
    const nowUs = Number(this.#clock.nowUs());
    const use = rateLimitUse(state.config.gates, state.devices.size, state.fleet.automaticQuarantinesUs, nowUs);
    return {
      usedHour: use.hour.used,
      limitHour: use.hour.limit,
      usedDay: use.day.used,
      limitDay: use.day.limit,
      freeUs: BigInt(roomUs(use) ?? 0),
    };
  }

  /** @throws SentinelError INVALID_ARGUMENT or UNAVAILABLE */
  async resetRateLimit({ reason }: ResetRateLimitRequest, caller: Identity): Promise<ResetRateLimitResponse> {
    checkText('reason', reason, MAX_REASON_BYTES);
    const forgotten = this.rateLimit().usedDay;
    await this.#submit({ kind: 'rate-limit-reset', reason, actor: caller.subject });
    return { forgotten };
  }

  async #submit(record: FleetOrderRecord): Promise<void> {
    await submitFleetOrder(this.#committer, record);
  }
}

/** @throws SentinelError what the core refuses, or UNAVAILABLE */
export async function submitFleetOrder(committer: Committer, record: FleetOrderRecord): Promise<void> {
  const refusal = await new Promise<Refusal | null>((resolve, reject) => {
    committer.submit({
      kind: 'order',
      record,
      committed: (effects) => resolve(effects.refusal),
      failed: (error: SentinelError) => reject(error),
    });
  });
  if (refusal !== null) throw refused(refusal, 'incident');
}

function toMessage(state: CoreState, incident: Incident): Message {
  const { held, out, modalDigest } = membersOf(state, incident);
  return {
    id: incident.id,
    pattern: incident.pattern,
    state: Incident_State[incident.state],
    cohort: incident.cohort === '' ? undefined : cohortMessage(incident.cohort),
    node: incident.node,
    openedUs: BigInt(incident.openedUs),
    endedUs: BigInt(incident.endedUs ?? 0),
    reason: incident.reason,
    nodeCount: incident.nodeCount,
    nodes: incident.nodes,
    gpusHeld: held.length,
    gpus: held.slice(0, MAX_NAMED),
    modalDigest: modalDigest ?? undefined,
    cordoned: incident.cordoned,
    injected: incident.injected,
    actor: incident.actor,
    actorReason: incident.actorReason,
    gpusOut: out.slice(0, MAX_NAMED),
  };
}

function cohortMessage(key: string): IncidentCohort {
  const cohort = parseCohort(key);
  return { ...cohort, family: cohort.family as ProbeFamily };
}

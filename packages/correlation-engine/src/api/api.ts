import type {
  ExplainDecisionRequest,
  ExplainDecisionResponse,
  GetGpuHistoryRequest,
  GetGpuHistoryResponse,
  QueryFleetHealthRequest,
  QueryFleetHealthResponse,
  QueryGpuHealthRequest,
  QueryGpuHealthResponse,
} from '@sentinel/contracts/sentinel/v1/health.js';
import type { ListIncidentsRequest, ListIncidentsResponse } from '@sentinel/contracts/sentinel/v1/incidents.js';
import type {
  PauseDeviceRequest,
  PauseDeviceResponse,
  ResumeDeviceRequest,
  ResumeDeviceResponse,
  SetScheduleRequest,
  SetScheduleResponse,
} from '@sentinel/contracts/sentinel/v1/probe_control.js';
import type {
  AcceptLedgerRollbackRequest,
  AcceptLedgerRollbackResponse,
  ApproveRequest,
  ApproveResponse,
  GetRateLimitRequest,
  GetRateLimitResponse,
  IssueDirectiveRequest,
  IssueDirectiveResponse,
  ListPendingRequest,
  ListPendingResponse,
  RejectRequest,
  RejectResponse,
  ResetRateLimitRequest,
  ResetRateLimitResponse,
  ResolveIncidentRequest,
  ResolveIncidentResponse,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import type { GetTrustGraphRequest, GetTrustGraphResponse } from '@sentinel/contracts/sentinel/v1/trust.js';
import type { Identity } from '@sentinel/service-kit/auth';
import type { Clock } from '@sentinel/service-kit/clock';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Kysely } from 'kysely';
import type { Committer } from '../commit/committer.js';
import type { RollbackParts } from '../outbox/accept-rollback.js';
import type { HistoryStore } from '../store/history/history-store.js';
import type { Tables } from '../store/schema.js';
import type { LatestTelemetry } from '../telemetry/latest.js';
import { acceptLedgerRollback } from './accept-rollback.js';
import { Approvals } from './approvals.js';
import { explainDecision } from './explain-decision.js';
import { findDevice } from './find-device.js';
import { historyOf } from './get-gpu-history.js';
import { getTrustGraph } from './get-trust-graph.js';
import { FleetOrders } from './incidents.js';
import { Orders } from './issue-directive.js';
import { ProbeControl } from './probe-control.js';
import { queryFleetHealth } from './query-fleet-health.js';
import { queryGpuHealth } from './query-gpu-health.js';

/** Every question and order, as gRPC and HTTP both serve them. */
export interface Api {
  queryGpuHealth(request: QueryGpuHealthRequest): QueryGpuHealthResponse;
  queryFleetHealth(request: QueryFleetHealthRequest): QueryFleetHealthResponse;
  getGpuHistory(request: GetGpuHistoryRequest): Promise<GetGpuHistoryResponse>;
  explainDecision(request: ExplainDecisionRequest): Promise<ExplainDecisionResponse>;
  issueDirective(request: IssueDirectiveRequest, caller: Identity): Promise<IssueDirectiveResponse>;
  listPending(request: ListPendingRequest): ListPendingResponse;
  approve(request: ApproveRequest, caller: Identity): Promise<ApproveResponse>;
  reject(request: RejectRequest, caller: Identity): Promise<RejectResponse>;
  getTrustGraph(request: GetTrustGraphRequest): Promise<GetTrustGraphResponse>;
  listIncidents(request: ListIncidentsRequest): ListIncidentsResponse;
  resolveIncident(request: ResolveIncidentRequest, caller: Identity): Promise<ResolveIncidentResponse>;
  getRateLimit(request: GetRateLimitRequest): GetRateLimitResponse;
  resetRateLimit(request: ResetRateLimitRequest, caller: Identity): Promise<ResetRateLimitResponse>;
  acceptLedgerRollback(request: AcceptLedgerRollbackRequest, caller: Identity): Promise<AcceptLedgerRollbackResponse>;
  pauseDevice(request: PauseDeviceRequest, caller: Identity): Promise<PauseDeviceResponse>;
  resumeDevice(request: ResumeDeviceRequest, caller: Identity): Promise<ResumeDeviceResponse>;
  setSchedule(request: SetScheduleRequest, caller: Identity): Promise<SetScheduleResponse>;
}

export interface ApiParts {
  readonly committer: Committer;
  readonly db: Kysely<Tables>;
  readonly clock: Clock;
  readonly telemetry: LatestTelemetry;
  readonly history: () => HistoryStore;
  readonly outboxPending: () => number;
  readonly rollback: RollbackParts;
}

export function buildApi({ committer, db, clock, telemetry, history, outboxPending, rollback }: ApiParts): Api {
  const orders = new Orders(committer, db);
  const approvals = new Approvals(committer, db);
  const fleet = new FleetOrders(committer, clock);
  const control = new ProbeControl(committer, clock);
  return {
    queryGpuHealth: ({ gpu }) => queryGpuHealth(committer, telemetry, findDevice(committer.state, gpu)),
    queryFleetHealth: (request) => queryFleetHealth(committer, outboxPending(), request),
    getGpuHistory: (request) => historyOf(history(), findDevice(committer.state, request.gpu), request),
    explainDecision: ({ gpu }) =>
      fromStore(explainDecision(committer, db, findDevice(committer.state, gpu), Number(clock.nowUs()))),
    issueDirective: (request, caller) => fromStore(orders.issue(request, caller)),
    listPending: (request) => approvals.list(request),
    approve: (request, caller) => fromStore(approvals.approve(request, caller)),
    reject: (request, caller) => fromStore(approvals.reject(request, caller)),
    getTrustGraph: (request) => fromStore(getTrustGraph(committer, db, request)),
    listIncidents: (request) => fleet.list(request),
    resolveIncident: (request, caller) => fleet.resolve(request, caller),
    getRateLimit: () => fleet.rateLimit(),
    resetRateLimit: (request, caller) => fleet.resetRateLimit(request, caller),
    acceptLedgerRollback: (request, caller) => fromStore(acceptLedgerRollback(rollback, request, caller)),
    pauseDevice: (request, caller) => control.pause(request, caller),
    resumeDevice: (request, caller) => control.resume(request, caller),
    setSchedule: (request, caller) => control.setSchedule(request, caller),
  };
}

/** A database that is away is no defect of ours: whoever asks may try again. */
async function fromStore<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof SentinelError) throw cause;
    const message = `the database did not answer (${(cause as Error).message})`;
    throw new SentinelError({ code: 'UNAVAILABLE', message, retryAfterMs: 1_000, hint: 'Try again.', cause });
  }
}

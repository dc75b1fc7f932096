import {
  PauseDeviceRequest,
  PauseDeviceResponse,
  ResumeDeviceRequest,
  ResumeDeviceResponse,
  SetScheduleRequest,
  SetScheduleResponse,
} from '@sentinel/contracts/sentinel/v1/probe_control.js';
import {
  AcceptLedgerRollbackRequest,
  AcceptLedgerRollbackResponse,
  ApproveRequest,
  ApproveResponse,
  IssueDirectiveRequest,
  IssueDirectiveResponse,
  RejectRequest,
  RejectResponse,
  ResetRateLimitRequest,
  ResetRateLimitResponse,
  ResolveIncidentRequest,
  ResolveIncidentResponse,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { callerIdentity, type Identity, type Tokens } from '@sentinel/service-kit/auth';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Api } from '../api.js';
import { invalid } from '../order-checks.js';
import { OPERATORS } from '../services.js';
import { type OrderShape, parseOrder } from './order-body.js';
import type { HttpRequest, Route } from './routes.js';

const ISSUE: OrderShape<IssueDirectiveRequest> = {
  type: IssueDirectiveRequest,
  members: {
    directiveId: 'text',
    gpu: 'text',
    action: { prefix: 'ACTION_' },
    reason: 'text',
    requiresApproval: 'flag',
    evidence: 'texts',
  },
};
const APPROVE: OrderShape<ApproveRequest> = { type: ApproveRequest, members: { directiveId: 'text', reason: 'text' } };
const REJECT: OrderShape<RejectRequest> = { type: RejectRequest, members: { directiveId: 'text', reason: 'text' } };
const RESOLVE: OrderShape<ResolveIncidentRequest> = {
  type: ResolveIncidentRequest,
  members: { incident: 'text', resolution: { prefix: 'RESOLUTION_' }, reason: 'text' },
};
const RESET: OrderShape<ResetRateLimitRequest> = { type: ResetRateLimitRequest, members: { reason: 'text' } };
const ACCEPT_ROLLBACK: OrderShape<AcceptLedgerRollbackRequest> = {
  type: AcceptLedgerRollbackRequest,
  members: { reason: 'text' },
};
const PAUSE: OrderShape<PauseDeviceRequest> = {
  type: PauseDeviceRequest,
  members: { gpu: 'text', durationMs: 'count', reason: 'text' },
};
const RESUME: OrderShape<ResumeDeviceRequest> = {
  type: ResumeDeviceRequest,
  members: { gpu: 'text', reason: 'text' },
};
const SCHEDULE: OrderShape<SetScheduleRequest> = {
  type: SetScheduleRequest,
  members: { node: 'text', yaml: 'text', reason: 'text' },
};

/** Everything that changes something: for operators, by token or by certificate. */
export function orderRoutes(api: Api, tokens: () => Tokens): Route[] {
  const order = <Order, Answer>(
    path: RegExp,
    shape: OrderShape<Order>,
    carryOut: (order: Order, caller: Identity) => Promise<Answer>,
    answer: { toJSON(message: Answer): unknown },
  ): Route => [
    'POST',
    path,
    async (request) => {
      const caller = operator(request, tokens());
      return { status: 200, json: answer.toJSON(await carryOut(await bodyOf(request, shape), caller)) };
    },
  ];
  return [
    order(/^\/api\/v1\/quarantine$/, ISSUE, api.issueDirective, IssueDirectiveResponse),
    order(/^\/api\/v1\/quarantine\/approve$/, APPROVE, api.approve, ApproveResponse),
    order(/^\/api\/v1\/quarantine\/reject$/, REJECT, api.reject, RejectResponse),
    order(/^\/api\/v1\/incidents\/resolve$/, RESOLVE, api.resolveIncident, ResolveIncidentResponse),
    order(/^\/api\/v1\/rate-limit\/reset$/, RESET, api.resetRateLimit, ResetRateLimitResponse),
    order(
      /^\/api\/v1\/audit\/accept-rollback$/,
      ACCEPT_ROLLBACK,
      api.acceptLedgerRollback,
      AcceptLedgerRollbackResponse,
    ),
    order(/^\/api\/v1\/probing\/pause$/, PAUSE, api.pauseDevice, PauseDeviceResponse),
    order(/^\/api\/v1\/probing\/resume$/, RESUME, api.resumeDevice, ResumeDeviceResponse),
    order(/^\/api\/v1\/probing\/schedule$/, SCHEDULE, api.setSchedule, SetScheduleResponse),
  ];
}

/** JSON only: a form of a web page could post anything else without being asked, with a certificate of its browser too. */
async function bodyOf<T>(request: HttpRequest, shape: OrderShape<T>): Promise<T> {
  if (!/^application\/json\b/i.test(request.contentType ?? ''))
    throw invalid('Content-Type', 'must be application/json');
  return parseOrder(await request.body(), shape);
}

function operator({ peer, authorization }: HttpRequest, tokens: Tokens): Identity {
  const caller = callerIdentity(peer, authorization, tokens);
  if (caller === null || caller.role === 'anonymous') {
    throw new SentinelError({
      code: 'UNAUTHENTICATED',
      reason: authorization === undefined ? 'CREDENTIALS_MISSING' : 'CREDENTIALS_INVALID',
      message: 'orders need the token or the certificate of an operator',
      field: 'Authorization',
      hint: 'Send the token of the secrets folder in the header Authorization, after "Bearer".',
    });
  }
  if ((OPERATORS as readonly string[]).includes(caller.role)) return caller;
  throw new SentinelError({
    code: 'PERMISSION_DENIED',
    message: `orders are for ${OPERATORS.join(', ')}; the caller is ${caller.role} (${caller.subject})`,
  });
}

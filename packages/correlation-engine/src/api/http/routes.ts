import type { ServerResponse } from 'node:http';
import { GpuState, gpuStateFromJSON } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  ExplainDecisionResponse,
  GetGpuHistoryResponse,
  QueryFleetHealthResponse,
  QueryGpuHealthResponse,
} from '@sentinel/contracts/sentinel/v1/health.js';
import { ListIncidentsResponse } from '@sentinel/contracts/sentinel/v1/incidents.js';
import {
  PauseDeviceRequest,
  PauseDeviceResponse,
  ResumeDeviceRequest,
  ResumeDeviceResponse,
  SetScheduleRequest,
  SetScheduleResponse,
} from '@sentinel/contracts/sentinel/v1/probe_control.js';
import {
  ApproveRequest,
  ApproveResponse,
  GetRateLimitResponse,
  IssueDirectiveRequest,
  IssueDirectiveResponse,
  ListPendingResponse,
  RejectRequest,
  RejectResponse,
  ResetRateLimitRequest,
  ResetRateLimitResponse,
  ResolveIncidentRequest,
  ResolveIncidentResponse,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { GetTrustGraphResponse } from '@sentinel/contracts/sentinel/v1/trust.js';
import { ANONYMOUS, type Identity, type Tokens, tokenIdentity } from '@sentinel/service-kit/auth';
import { SentinelError } from '@sentinel/service-kit/errors';
import { VERSION } from '@sentinel/service-kit/version';
import type { Api } from '../api.js';
import { OPERATORS } from '../services.js';

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  /** Of a reader of events that comes back; '' = it begins. */
  readonly lastEventId: string;
  /** Bounded by the server. */
  body(): Promise<string>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly json: unknown;
}

/** An answer that goes on. */
export interface StreamAnswer {
  /** Writes it, and ends with it. */
  readonly stream: (response: ServerResponse) => void;
}

/** How the engine is. */
export interface HealthReport {
  /** Why it does not do what it is there for, as sentences; none = it does. */
  readonly reasons: readonly string[];
  /** What else does not work, without which it decides and acknowledges all the same. */
  readonly remarks: readonly string[];
  /** Each store: reachable when last tried. */
  readonly stores: Readonly<Record<string, 'up' | 'away'>>;
  readonly activeAgents: number;
  readonly uptimeSeconds: number;
  /** null = the only engine of its database. */
  readonly replica: { readonly name: string; readonly decides: boolean; readonly leader: string } | null;
}

type Handler = (request: HttpRequest, gpu: string) => Promise<HttpAnswer> | HttpAnswer;

/** Answered by each replica for itself. */
export function asksForHealth({ method, url }: HttpRequest): boolean {
  return method === 'GET' && /^\/(?:api\/v1\/)?health$/.test(url.pathname);
}

/** Answered by each replica for itself, too: what happens reaches all of them. */
export function asksForEvents({ method, url }: HttpRequest): boolean {
  return method === 'GET' && url.pathname === '/api/v1/events';
}

/** [method, path, handler]; `:gpu` in a path stands for one segment. */
export function routes(api: Api, tokens: () => Tokens): (request: HttpRequest) => Promise<HttpAnswer> {
  const table: readonly (readonly [string, RegExp, Handler])[] = [
    [
      'GET',
      /^\/api\/v1\/fleet$/,
      ({ url }) => ok(QueryFleetHealthResponse.toJSON(api.queryFleetHealth(fleetRequest(url)))),
    ],
    ['GET', /^\/api\/v1\/gpu\/([^/]+)$/, (_, gpu) => ok(QueryGpuHealthResponse.toJSON(api.queryGpuHealth({ gpu })))],
    [
      'GET',
      /^\/api\/v1\/gpu\/([^/]+)\/explain$/,
      async (_, gpu) => ok(ExplainDecisionResponse.toJSON(await api.explainDecision({ gpu }))),
    ],
    [
      'GET',
      /^\/api\/v1\/gpu\/([^/]+)\/history$/,
      async ({ url }, gpu) => ok(GetGpuHistoryResponse.toJSON(await api.getGpuHistory(historyRequest(url, gpu)))),
    ],
    [
      'GET',
      /^\/api\/v1\/trust$/,
      async ({ url }) => ok(GetTrustGraphResponse.toJSON(await api.getTrustGraph(trustRequest(url)))),
    ],
    [
      'POST',
      /^\/api\/v1\/quarantine$/,
      async (request) => {
        const caller = operator(request.authorization, tokens());
        return ok(
          IssueDirectiveResponse.toJSON(await api.issueDirective(await bodyOf(request, IssueDirectiveRequest), caller)),
        );
      },
    ],
    [
      'GET',
      /^\/api\/v1\/quarantine\/pending$/,
      ({ url }) => ok(ListPendingResponse.toJSON(api.listPending(pageRequest(url)))),
    ],
    [
      'POST',
      /^\/api\/v1\/quarantine\/approve$/,
      async (request) => {
        const caller = operator(request.authorization, tokens());
        return ok(ApproveResponse.toJSON(await api.approve(await bodyOf(request, ApproveRequest), caller)));
      },
    ],
    [
      'POST',
      /^\/api\/v1\/quarantine\/reject$/,
      async (request) => {
        const caller = operator(request.authorization, tokens());
        return ok(RejectResponse.toJSON(await api.reject(await bodyOf(request, RejectRequest), caller)));
      },
    ],
    [
      'GET',
      /^\/api\/v1\/incidents$/,
      ({ url }) =>
        ok(ListIncidentsResponse.toJSON(api.listIncidents({ active: url.searchParams.get('active') === 'true' }))),
    ],
    [
      'POST',
      /^\/api\/v1\/incidents\/resolve$/,
      async (request) => {
        const caller = operator(request.authorization, tokens());
        const order = await bodyOf(request, ResolveIncidentRequest);
        return ok(ResolveIncidentResponse.toJSON(await api.resolveIncident(order, caller)));
      },
    ],
    ['GET', /^\/api\/v1\/rate-limit$/, () => ok(GetRateLimitResponse.toJSON(api.getRateLimit({})))],
    [
      'POST',
      /^\/api\/v1\/rate-limit\/reset$/,
      async (request) => {
        const caller = operator(request.authorization, tokens());
        const order = await bodyOf(request, ResetRateLimitRequest);
        return ok(ResetRateLimitResponse.toJSON(await api.resetRateLimit(order, caller)));
      },
    ],
    [
      'POST',
      /^\/api\/v1\/probing\/pause$/,
      async (request) => {
        const caller = operator(request.authorization, tokens());
        return ok(PauseDeviceResponse.toJSON(await api.pauseDevice(await bodyOf(request, PauseDeviceRequest), caller)));
      },
    ],
    [
      'POST',
      /^\/api\/v1\/probing\/resume$/,
      async (request) => {
        const caller = operator(request.authorization, tokens());
        return ok(
          ResumeDeviceResponse.toJSON(await api.resumeDevice(await bodyOf(request, ResumeDeviceRequest), caller)),
        );
      },
    ],
    [
      'POST',
      /^\/api\/v1\/probing\/schedule$/,
      async (request) => {
        const caller = operator(request.authorization, tokens());
        return ok(SetScheduleResponse.toJSON(await api.setSchedule(await bodyOf(request, SetScheduleRequest), caller)));
      },
    ],
  ];
  return async (request) => {
    const here = table.filter(([, path]) => path.test(request.url.pathname));
    const found = here.find(([method]) => method === request.method);
    if (found === undefined)
      throw notFound(
        request,
        here.map(([method]) => method),
      );
    const [, path, handler] = found;
    return handler(request, decode(path.exec(request.url.pathname)?.[1] ?? ''));
  };
}

function ok(json: unknown): HttpAnswer {
  return { status: 200, json };
}

/** Names as the HTTP contract has them. */
export function healthAnswer(report: HealthReport): HttpAnswer {
  const { stores, activeAgents, uptimeSeconds, replica } = report;
  const reasons = [...report.reasons, ...report.remarks];
  return {
    // Whoever sends traffic elsewhere at 503 would gain nothing by it for the sake of a remark.
    status: report.reasons.length === 0 ? 200 : 503,
    json: {
      status: reasons.length === 0 ? 'ok' : 'degraded',
      version: VERSION,
      uptime_seconds: uptimeSeconds,
      stores,
      active_agents: activeAgents,
      ...(replica === null ? {} : { replica }),
      reasons,
    },
  };
}

function fleetRequest({ searchParams: query }: URL) {
  const text = query.get('state');
  const state = text === null ? GpuState.UNSPECIFIED : gpuStateFromJSON(`GPU_STATE_${text.toUpperCase()}`);
  if (state === GpuState.UNRECOGNIZED)
    throw invalid('state', 'must be healthy, suspect, quarantined, deep_test or condemned');
  return {
    nodePrefix: query.get('node_prefix') ?? '',
    model: query.get('model') ?? '',
    state,
    limit: integer(query, 'limit'),
    pageToken: query.get('page_token') ?? '',
  };
}

function historyRequest({ searchParams: query }: URL, gpu: string) {
  return {
    gpu,
    startUs: BigInt(integer(query, 'start_us')),
    endUs: BigInt(integer(query, 'end_us')),
    limit: integer(query, 'limit'),
    pageToken: query.get('page_token') ?? '',
  };
}

function pageRequest({ searchParams: query }: URL) {
  return { limit: integer(query, 'limit'), pageToken: query.get('page_token') ?? '' };
}

function trustRequest({ searchParams: query }: URL) {
  return { gpu: query.get('gpu') ?? '', limit: integer(query, 'limit'), atUs: BigInt(integer(query, 'at_us')) };
}

function integer(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '0';
  if (!/^\d{1,15}$/.test(text)) throw invalid(name, 'must be a whole number');
  return Number(text);
}

/** JSON only: a form of a web page could post anything else without being asked. */
async function bodyOf<T>(request: HttpRequest, type: { fromJSON(json: unknown): T }): Promise<T> {
  if (!/^application\/json\b/i.test(request.contentType ?? ''))
    throw invalid('Content-Type', 'must be application/json');
  try {
    return type.fromJSON(JSON.parse(await request.body()));
  } catch (cause) {
    if (cause instanceof SentinelError) throw cause;
    throw new SentinelError({ code: 'INVALID_ARGUMENT', reason: 'MALFORMED', message: 'the body is not JSON', cause });
  }
}

function operator(authorization: string | undefined, tokens: Tokens): Identity {
  const caller = authorization === undefined ? ANONYMOUS : tokenIdentity(authorization, tokens);
  if (caller !== null && (OPERATORS as readonly string[]).includes(caller.role)) return caller;
  const reason = authorization === undefined ? 'CREDENTIALS_MISSING' : 'CREDENTIALS_INVALID';
  throw new SentinelError({
    code: 'UNAUTHENTICATED',
    reason,
    message: 'orders need the token of an operator',
    field: 'Authorization',
    hint: 'Send that of the secrets folder in the header Authorization, after "Bearer".',
  });
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalid('gpu', 'is not percent-encoded');
  }
}

function invalid(field: string, hint: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', message: `${field} ${hint}`, field });
}

function notFound(request: HttpRequest, methods: readonly string[]): SentinelError {
  const path = request.url.pathname.slice(0, 100);
  if (methods.length > 0)
    return new SentinelError({
      code: 'UNIMPLEMENTED',
      message: `${path} answers ${methods.join(', ')}, not ${request.method}`,
    });
  return new SentinelError({ code: 'NOT_FOUND', message: `nothing is at ${path}`, hint: 'See /api/v1/fleet.' });
}

import type { ServerResponse } from 'node:http';
import { GpuState, gpuStateFromJSON } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  ExplainDecisionResponse,
  GetGpuHistoryResponse,
  QueryFleetHealthResponse,
  QueryGpuHealthResponse,
} from '@sentinel/contracts/sentinel/v1/health.js';
import { ListIncidentsResponse } from '@sentinel/contracts/sentinel/v1/incidents.js';
import { GetRateLimitResponse, ListPendingResponse } from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { GetTrustGraphResponse } from '@sentinel/contracts/sentinel/v1/trust.js';
import type { Identity, Tokens } from '@sentinel/service-kit/auth';
import { SentinelError } from '@sentinel/service-kit/errors';
import { VERSION } from '@sentinel/service-kit/version';
import type { Standing } from '../../events/stores.js';
import type { Api } from '../api.js';
import { invalid } from '../order-checks.js';
import { orderRoutes } from './order-routes.js';

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  /** What the client's certificate proves; anonymous without one. */
  readonly peer: Identity;
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
  /** Each store: whether it answered this engine when it was last asked; unknown = it never was. */
  readonly stores: Readonly<Record<string, Standing>>;
  readonly activeAgents: number;
  readonly uptimeSeconds: number;
  /** null = the only engine of its database. */
  readonly replica: { readonly name: string; readonly decides: boolean; readonly leader: string } | null;
}

type Handler = (request: HttpRequest, gpu: string) => Promise<HttpAnswer> | HttpAnswer;

/** Method, path, handler. */
export type Route = readonly [string, RegExp, Handler];

/** Answered by each replica for itself. */
export function asksForHealth({ method, url }: HttpRequest): boolean {
  return method === 'GET' && /^\/(?:api\/v1\/)?health$/.test(url.pathname);
}

/** Answered by each replica for itself, too: what happens reaches all of them. */
export function asksForEvents({ method, url }: HttpRequest): boolean {
  return method === 'GET' && url.pathname === '/api/v1/events';
}

/** Answers questions and carries out orders. */
export function routes(api: Api, tokens: () => Tokens): (request: HttpRequest) => Promise<HttpAnswer> {
  const table: readonly Route[] = [
    ...orderRoutes(api, tokens),
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
      'GET',
      /^\/api\/v1\/quarantine\/pending$/,
      ({ url }) => ok(ListPendingResponse.toJSON(api.listPending(pageRequest(url)))),
    ],
    [
      'GET',
      /^\/api\/v1\/incidents$/,
      ({ url }) =>
        ok(ListIncidentsResponse.toJSON(api.listIncidents({ active: url.searchParams.get('active') === 'true' }))),
    ],
    ['GET', /^\/api\/v1\/rate-limit$/, () => ok(GetRateLimitResponse.toJSON(api.getRateLimit({})))],
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

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalid('gpu', 'is not percent-encoded');
  }
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

import type { Identity } from '@sentinel/service-kit/auth';
import { carriedConnection } from '@sentinel/service-kit/carried-caller';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type ServiceEntry, unary } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import type { HttpAnswer, HttpRequest } from '../api/http/routes.js';
import { callJson, jsonMethod } from './json-method.js';
import type { Link } from './link.js';
import { noLeader } from './no-leader.js';

const PATH = '/sentinel.replica.Http/Answer';
const DEADLINE_MS = 15_000;

/** A request that the replica which took it in has checked as it checks its own: host, origin, size. */
interface CarriedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly authorization: string | null;
  readonly contentType: string | null;
  readonly body: string;
}

/** HTTP requests that other replicas carry here. What their certificates prove is known by then; their tokens are checked by whoever answers. */
export function httpService(handle: (request: HttpRequest) => Promise<HttpAnswer>, log: Logger): ServiceEntry {
  return {
    definition: { answer: jsonMethod(PATH) },
    implementation: { answer: unary((request: CarriedRequest, peer) => handle(unpack(request, peer)), log) },
    roles: { Answer: 'anyone' },
  };
}

function unpack({ method, target, authorization, contentType, body }: CarriedRequest, peer: Identity): HttpRequest {
  return {
    method,
    url: new URL(target, 'http://engine'),
    peer,
    authorization: authorization ?? undefined,
    contentType: contentType ?? undefined,
    // Events are answered by each replica for itself.
    lastEventId: '',
    body: async () => body,
  };
}

/** @throws SentinelError as the leader does, UNAVAILABLE when it does not answer */
export async function carryHttp(link: Link, replica: string, request: HttpRequest): Promise<HttpAnswer> {
  const { method, url, peer, authorization = null, contentType = null } = request;
  const target = `${url.pathname}${url.search}`;
  const carried: CarriedRequest = { method, target, authorization, contentType, body: await request.body() };
  const caller = { identity: peer, connection: carriedConnection(replica, 'http') };
  try {
    return (await callJson(link, PATH, caller, carried, DEADLINE_MS)) as HttpAnswer;
  } catch (error) {
    const known = SentinelError.from(error);
    // Without a reason it comes from the way, not from the leader.
    throw known.code === 'UNAVAILABLE' && known.hint === '' ? noLeader(error) : known;
  }
}

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Injection } from '../injection/inject.js';
import type { Pod } from '../injection/pod.js';
import { requestOf, responseTo } from './review.js';

/** Largest AdmissionReview: a pod, twice, in a store that takes objects of 1.5 MiB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

export const REVIEW_PATH = '/mutate';

export interface ListenerParts {
  /** Throws for nothing that a pod can say. */
  readonly inject: (pod: Pod) => Injection;
  readonly onOutcome: (outcome: Injection['outcome'] | 'failed' | 'invalid') => void;
  readonly log: Logger;
}

/** Answers POST /mutate with an AdmissionReview and GET /health. Never refuses a pod: at worst it stays as it was. */
export function reviewListener(parts: ListenerParts): RequestListener {
  return (request, response) => {
    const path = request.url?.split('?')[0];
    if (request.method === 'GET' && path === '/health') return send(response, 200, { status: 'ok' });
    if (request.method !== 'POST' || path !== REVIEW_PATH)
      return send(response, 404, { error: `POST an AdmissionReview to ${REVIEW_PATH}` });
    readBody(request).then(
      (text) => answer(text, response, parts),
      (error: unknown) => {
        parts.onOutcome('invalid');
        send(response, 413, { error: SentinelError.from(error).message });
      },
    );
  };
}

function answer(text: string, response: ServerResponse, { inject, onOutcome, log }: ListenerParts): void {
  const review = parsed(text);
  if (review instanceof SentinelError) {
    onOutcome('invalid');
    return send(response, 400, {
      error: review.message,
      ...(review.field === '' ? {} : { field: review.field }),
    });
  }
  const { uid, pod } = review;
  const name = pod.metadata?.name ?? pod.metadata?.generateName ?? '';
  try {
    const injection = inject(pod);
    onOutcome(injection.outcome);
    if (injection.outcome !== 'not_asked')
      log.info({ pod: name, outcome: injection.outcome, warnings: injection.warnings }, 'a pod was looked at');
    send(response, 200, responseTo(uid, injection));
  } catch (error) {
    onOutcome('failed');
    log.error({ err: error, pod: name }, 'no sidecar: the injector failed on a pod');
    send(response, 200, responseTo(uid, { patch: [], warnings: ['no sidecar: the injector failed, see its log'] }));
  }
}

function parsed(text: string): ReturnType<typeof requestOf> | SentinelError {
  try {
    return requestOf(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError)
      return new SentinelError({ code: 'INVALID_ARGUMENT', message: 'the body is no JSON', cause: error });
    return SentinelError.from(error);
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES)
      throw new SentinelError({
        code: 'RESOURCE_EXHAUSTED',
        message: `the body is larger than ${MAX_BODY_BYTES} bytes`,
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

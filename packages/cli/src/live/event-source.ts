import { type IncomingMessage, request as plainRequest } from 'node:http';
import { type RequestOptions, request as secureRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { SentinelError } from '@sentinel/service-kit/errors';
import { loadClientTls } from '../connection.js';
import type { ClientTls } from '../endpoints.js';
import { because } from '../failure.js';
import { EventParser, type ServerEvent } from './event-parser.js';

const PATH = '/api/v1/events';
/** An engine that does not begin to answer. */
const ANSWER_MS = 10_000;
/** An engine says every 15 s that it is there. */
const SILENCE_MS = 45_000;

/** The engine has no live updates: its release is older. */
export class NoLiveUpdatesError extends Error {
  override readonly name = 'NoLiveUpdatesError';
}

export interface EventSource {
  /** host:port of the engine's HTTP. */
  readonly address: string;
  readonly tls: ClientTls | null;
  /** Id of the newest event that is known; '' = begins with what happens now. */
  readonly lastEventId: string;
  readonly signal: AbortSignal;
}

/**
 * The engine's live updates, until the connection or the signal ends them: the first message null says that it is open.
 * @throws NoLiveUpdatesError, SentinelError UNAVAILABLE with why it is over
 */
export async function* liveUpdates(source: EventSource): AsyncGenerator<ServerEvent | null> {
  const answer = await open(source);
  yield null;
  const parser = new EventParser();
  try {
    for await (const part of answer as AsyncIterable<string>) {
      for (const event of parser.push(part)) {
        if (event.event === 'end') throw new Error(String(event.data['reason'] ?? 'the engine ended it'));
        yield event;
      }
    }
    throw new Error('the connection ended');
  } catch (error) {
    if (source.signal.aborted) return;
    throw ended(source.address, error);
  } finally {
    answer.destroy();
  }
}

async function open(source: EventSource): Promise<IncomingMessage> {
  const answer = await connect(source).catch((error: unknown) => {
    throw source.signal.aborted ? error : lost(source.address, error);
  });
  if (answer.statusCode === 200) return answer.setEncoding('utf8');
  const refusal = await text(answer).catch(() => '');
  if (answer.statusCode === 404 || answer.statusCode === 501) throw new NoLiveUpdatesError();
  throw refused(source.address, answer.statusCode ?? 0, refusal);
}

function connect({ address, tls, lastEventId, signal }: EventSource): Promise<IncomingMessage> {
  const headers = { accept: 'text/event-stream', ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }) };
  return new Promise((resolve, reject) => {
    const url = `${tls === null ? 'http' : 'https'}://${address}${PATH}`;
    const options: RequestOptions = { ...secureOptions(tls), headers, signal, timeout: SILENCE_MS, agent: false };
    const call = (tls === null ? plainRequest : secureRequest)(url, options, (answer) => {
      clearTimeout(late);
      resolve(answer);
    });
    const late = setTimeout(() => call.destroy(new Error('it does not answer')), ANSWER_MS);
    call.on('timeout', () => call.destroy(new Error('nothing was heard of it for too long')));
    call.on('error', (error) => {
      clearTimeout(late);
      reject(error);
    });
    call.end();
  });
}

function secureOptions(tls: ClientTls | null): RequestOptions {
  if (tls === null) return {};
  return { ...loadClientTls(tls), ...(tls.serverName === undefined ? {} : { servername: tls.serverName }) };
}

/** The engine itself says why, and what to do. */
function refused(address: string, status: number, body: string): SentinelError {
  const { message = `the answer is ${status}`, hint = '' } = parsed(body)?.error ?? {};
  return new SentinelError({ code: 'UNAVAILABLE', message: `no live updates from ${address} (${message})`, hint });
}

function parsed(body: string): { readonly error?: { readonly message?: string; readonly hint?: string } } | null {
  try {
    return JSON.parse(body) as ReturnType<typeof parsed>;
  } catch {
    return null;
  }
}

/** Of one that was open: who was let in once is not asked for certificates again. */
function ended(address: string, cause: unknown): SentinelError {
  const { message, code } = cause as NodeJS.ErrnoException;
  const why = code === 'ECONNRESET' || message === 'aborted' ? 'the connection ended' : message;
  return new SentinelError({ code: 'UNAVAILABLE', message: `no live updates from ${address} (${why})`, cause });
}

function lost(address: string, cause: unknown): SentinelError {
  const { message, code = '' } = cause as NodeJS.ErrnoException;
  const why = because(`${code} ${message}`) || ` (${message})`;
  return new SentinelError({ code: 'UNAVAILABLE', message: `no live updates from ${address}${why}`, cause });
}

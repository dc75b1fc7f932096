import { SentinelError } from '@sentinel/service-kit/errors';

/** Largest answer that is read: logarithms of 4,096 tokens with their texts, or output tensors. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** A model may be busy; a question that takes longer is given up. */
export const ANSWER_TIMEOUT_MS = 60_000;
const LOOK_TIMEOUT_MS = 5_000;

/** In a message; what a server says of an error may be a page. */
const MAX_QUOTED = 200;

export interface HttpAnswer {
  readonly status: number;
  readonly bytes: Buffer;
  readonly headers: Headers;
}

/** So a server says that it does not understand a request; it may take the same one later where it says 404 or 429. */
const NOT_UNDERSTOOD: readonly number[] = [400, 422];

/** The request is one of a user: what the server says of it, which may quote it, is in no message. */
export const OF_A_USER = 'of a user';

export interface Post {
  readonly path: string;
  readonly body: string | Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly whose?: typeof OF_A_USER;
}

/** What the monitor itself asks its inference server; requests of users go another way. */
export class UpstreamHttp {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param apiKey '' = the server wants none */
  constructor(base: string, apiKey: string) {
    this.#base = base.replace(/\/$/, '');
    this.#headers = apiKey === '' ? {} : { authorization: `Bearer ${apiKey}` };
  }

  /** Null where the server has no such page. @throws SentinelError UNAVAILABLE, DEADLINE_EXCEEDED where it is slow */
  async look(path: string): Promise<unknown> {
    const ask = () => this.#ask(path, { method: 'GET' }, LOOK_TIMEOUT_MS);
    // A kept connection that the server closed in that moment does not mean that it is away.
    const { status, bytes } = await ask().catch((error: SentinelError) =>
      error.code === 'UNAVAILABLE' ? ask() : Promise.reject(error),
    );
    return status === 200 ? jsonOf(bytes, path) : null;
  }

  /** @throws SentinelError UNAVAILABLE where there is no answer, INVALID_ARGUMENT or FAILED_PRECONDITION where the server refuses */
  async post({ path, body, headers, whose }: Post): Promise<HttpAnswer> {
    const answer = await this.#ask(path, { method: 'POST', body, headers }, ANSWER_TIMEOUT_MS);
    if (answer.status === 200) return answer;
    const text = answer.bytes.toString('utf8').slice(0, MAX_QUOTED);
    const code = codeOf(answer.status);
    const message = `${path} answers ${answer.status}`;
    if (whose === OF_A_USER) throw new SentinelError({ code, message, cause: new Error(text) });
    throw new SentinelError({ code, message: `${message}: ${text}` });
  }

  async postJson(path: string, body: unknown, whose?: typeof OF_A_USER): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const post = { path, body: JSON.stringify(body), headers };
    const { bytes } = await this.post(whose === undefined ? post : { ...post, whose });
    return jsonOf(bytes, path);
  }

  async #ask(path: string, init: RequestInit, timeoutMs: number): Promise<HttpAnswer> {
    const headers = { ...init.headers, ...this.#headers };
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await fetch(`${this.#base}${path}`, { ...init, headers, signal, redirect: 'error' });
      return { status: response.status, bytes: await read(response, path), headers: response.headers };
    } catch (cause) {
      if (cause instanceof SentinelError) throw cause;
      const message = `${this.#base}${path} does not answer: ${reasonOf(cause)}`;
      const slow = cause instanceof Error && cause.name === 'TimeoutError';
      throw new SentinelError({ code: slow ? 'DEADLINE_EXCEEDED' : 'UNAVAILABLE', message, cause });
    }
  }
}

function codeOf(status: number) {
  if (NOT_UNDERSTOOD.includes(status)) return 'INVALID_ARGUMENT';
  return status >= 400 && status < 500 ? 'FAILED_PRECONDITION' : 'UNAVAILABLE';
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}

async function read(response: Response, path: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw malformed(path, `is longer than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function jsonOf(bytes: Buffer, path: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw malformed(path, 'is no JSON');
  }
}

/** Without a query, which may hold what only its user may know. */
export function pathOf(path: string): string {
  return path.split('?', 1)[0] ?? '';
}

export function malformed(path: string, what: string): SentinelError {
  return new SentinelError({ code: 'FAILED_PRECONDITION', message: `the answer of ${path} ${what}` });
}

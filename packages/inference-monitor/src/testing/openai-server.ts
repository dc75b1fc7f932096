import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

/** How the server differs from vLLM. */
export interface OpenAiFlavour {
  /** `logprobs` that were not asked for are left out, not null. */
  readonly absent?: boolean;
  /** Does not know `return_token_ids`. */
  readonly noTokenIds?: boolean;
  /** Writes `token_ids`, and refuses requests with `return_token_ids`, as TensorRT-LLM does. */
  readonly refusesTokenIds?: boolean;
  /** Refuses requests that ask for logprobs. */
  readonly refuses?: boolean | { readonly status: number; readonly message: string };
  /** Answers to requests that ask for logprobs are compressed. */
  readonly compresses?: boolean;
  /** A token that is held back gets an event of its own where more is asked, as with tool parsers of vLLM. */
  readonly holdsBack?: boolean;
  /** Between two events. */
  readonly eventMs?: number;
}

interface Asked {
  readonly model?: string;
  readonly stream?: boolean;
  readonly n?: number;
  readonly max_tokens?: number;
  readonly logprobs?: number | boolean | null;
  readonly top_logprobs?: number;
  readonly return_token_ids?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean; readonly continuous_usage_stats?: boolean };
}

/** A server of the OpenAI API that answers the same to the same, in the form of vLLM 0.32. */
export class OpenAiServer {
  /** Bodies of the requests, as text. */
  readonly bodies: string[] = [];
  aborted = 0;
  readonly #flavour: OpenAiFlavour;
  readonly #server: Server;

  constructor(flavour: OpenAiFlavour = {}) {
    this.#flavour = flavour;
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    request.setEncoding('utf8');
    for await (const part of request) text += part as string;
    this.bodies.push(text);
    response.on('close', () => {
      if (!response.writableFinished) this.aborted += 1;
    });
    const chat = request.url === '/v1/chat/completions';
    if (!chat && request.url !== '/v1/completions') return this.#json(response, 404, { detail: 'Not Found' });
    let asked: Asked;
    try {
      asked = JSON.parse(text) as Asked;
    } catch {
      return this.#json(response, 400, { error: { message: 'not JSON' } });
    }
    const { refuses = false } = this.#flavour;
    if (refuses !== false && asked.logprobs !== undefined && asked.logprobs !== null)
      return this.#json(response, refuses === true ? 400 : refuses.status, {
        error: { message: refuses === true ? 'logprobs are not available' : refuses.message },
      });
    if (this.#flavour.refusesTokenIds === true && asked.return_token_ids !== undefined)
      return this.#json(response, 400, { error: { message: 'return_token_ids: extra inputs are not permitted' } });
    if ((asked.max_tokens ?? 1) < 0) return this.#json(response, 400, { error: { message: 'max_tokens is negative' } });
    if (asked.model !== 'm') return this.#json(response, 404, { error: { message: 'no such model' } });
    if (asked.stream === true) return this.#stream(response, asked, chat);
    if (this.#flavour.compresses === true && typeof asked.logprobs === 'number') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
      response.end(gzipSync(JSON.stringify(this.#whole(asked, chat))));
      return;
    }
    return this.#json(response, 200, this.#whole(asked, chat));
  }

  #json(response: ServerResponse, status: number, body: unknown): void {
    const text = JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    response.end(text);
  }

  #whole(asked: Asked, chat: boolean) {
    const tokens = asked.max_tokens ?? 4;
    const ids = Array.from({ length: tokens }, (_, k) => k + 10);
    const choices = Array.from({ length: asked.n ?? 1 }, (_, index) => ({
      index,
      ...(chat ? { message: { role: 'assistant', content: 'ü'.repeat(tokens) } } : { text: 'ü'.repeat(tokens) }),
      ...this.#logprobs(asked, chat, ids),
      finish_reason: 'length',
      stop_reason: null,
      ...this.#ids(asked, ids),
      ...(chat ? {} : { prompt_logprobs: null, ...this.#promptIds(asked) }),
    }));
    const usage = { prompt_tokens: 3, total_tokens: 3 + tokens, completion_tokens: tokens * choices.length };
    return { id: 'id', created: 1, model: 'm', choices, usage, ...(chat ? this.#promptIds(asked) : {}) };
  }

  async #stream(response: ServerResponse, asked: Asked, chat: boolean): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    for (const event of this.#events(asked, chat)) {
      response.write(`data: ${JSON.stringify(event)}\n\n`);
      await delay(this.#flavour.eventMs ?? 1);
      if (response.destroyed) return;
    }
    response.end('data: [DONE]\n\n');
  }

  *#events(asked: Asked, chat: boolean) {
    const tokens = asked.max_tokens ?? 4;
    const base = { id: 'id', created: 1, model: 'm' };
    const none = this.#flavour.absent === true ? {} : { logprobs: null };
    if (chat) {
      const role = { index: 0, delta: { role: 'assistant', content: '' }, ...none, finish_reason: null };
      yield { ...base, choices: [role], ...this.#promptIds(asked) };
    }
    for (let k = 0; k < tokens; k += 1) {
      const held = chat && this.#flavour.holdsBack === true && k === 1;
      const more = (asked.logprobs ?? false) !== false || asked.return_token_ids === true;
      if (held && !more) continue;
      const last = k === tokens - 1;
      for (let index = 0; index < (asked.n ?? 1); index += 1) {
        const said = chat ? { delta: held ? {} : { content: `t${k}` } } : { text: `t${k}` };
        const end = last ? { finish_reason: 'length', stop_reason: null } : { finish_reason: null };
        const choice = {
          index,
          ...said,
          ...this.#logprobs(asked, chat, [k + 10]),
          ...end,
          ...this.#ids(asked, [k + 10]),
        };
        const usage = { prompt_tokens: 3, total_tokens: 4 + k, completion_tokens: k + 1 };
        yield {
          ...base,
          ...(asked.stream_options?.continuous_usage_stats === true ? { usage } : {}),
          choices: [chat ? choice : { ...choice, ...(k === 0 ? this.#promptIds(asked) : { prompt_token_ids: null }) }],
        };
      }
    }
    if (asked.stream_options?.include_usage === true)
      yield { ...base, choices: [], usage: { prompt_tokens: 3, total_tokens: 3 + tokens, completion_tokens: tokens } };
  }

  #logprobs(asked: Asked, chat: boolean, ids: readonly number[]) {
    const wanted = chat ? asked.logprobs === true : typeof asked.logprobs === 'number';
    if (!wanted) return this.#flavour.absent === true ? {} : { logprobs: null };
    const top = chat ? (asked.top_logprobs ?? 0) : Number(asked.logprobs);
    const of = (id: number) =>
      Array.from({ length: top }, (_, k) => ({ token: `t${id}.${k}`, logprob: -0.25 - 2 * k - id / 1000 }));
    if (chat)
      return {
        logprobs: {
          content: ids.map((id) => ({ token: `t${id}`, logprob: -0.25 - id / 1000, bytes: [1], top_logprobs: of(id) })),
        },
      };
    return {
      logprobs: {
        text_offset: ids,
        token_logprobs: ids.map((id) => -0.25 - id / 1000),
        tokens: ids.map((id) => `t${id}`),
        top_logprobs: ids.map((id) => Object.fromEntries(of(id).map(({ token, logprob }) => [token, logprob]))),
      },
    };
  }

  #ids(asked: Asked, ids: readonly number[]) {
    if (this.#flavour.noTokenIds === true) return {};
    return { token_ids: asked.return_token_ids === true ? ids : null };
  }

  #promptIds(asked: Asked) {
    if (this.#flavour.noTokenIds === true) return {};
    return { prompt_token_ids: asked.return_token_ids === true ? [1, 2, 3] : null };
  }
}

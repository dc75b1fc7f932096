import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from './random.js';

/**
 * none = sound; memory = one weight has another bit, so that every answer is wrong in the same way; wavers = every third answer is wrong;
 * rounds = it answers otherwise each time, as low precision does with what shares the batch.
 */
export type Fault = 'none' | 'memory' | 'wavers' | 'rounds';

interface Asked {
  readonly prompt: string | readonly number[];
  readonly max_tokens: number;
  readonly echo?: boolean;
}

/** What a wrong weight does to a logarithm of a probability, nats. */
const WRONG = 2 ** -12;
/** Rounding of low precision, nats. */
const ROUNDING = 0.01;
const ANSWER_MS = 2;

/** A server with vLLM's interface, whose model is a hash: the same everywhere, until a fault is switched on. */
export class ModelServer {
  fault: Fault = 'none';
  /** Of the weights: replicas of one model have the same. */
  revision = 0;
  /** Questions answered. */
  answered = 0;
  readonly #random: Random;
  #server: Server | undefined;
  #port = 0;

  constructor(seed = 1) {
    this.#random = new Random(seed);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const answer = await this.#answer(request.url ?? '', Buffer.concat(chunks).toString('utf8'));
    response.writeHead(answer === null ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { detail: 'Not Found' }));
  }

  async #answer(path: string, body: string): Promise<unknown> {
    if (path === '/version') return { version: '0.32.0' };
    if (path === '/v1/models')
      return { data: [{ id: 'tiny', owned_by: 'vllm', root: '/models/tiny', max_model_len: 99 }] };
    if (path !== '/v1/completions') return null;
    await delay(ANSWER_MS);
    this.answered += 1;
    return this.#complete(JSON.parse(body) as Asked);
  }

  #complete({ prompt, max_tokens, echo = false }: Asked): unknown {
    const given =
      typeof prompt === 'string' ? prompt.split(/(?= )/).map((word) => textNumber(word) % 512) : [...prompt];
    const error = this.#error();
    const value = (context: readonly number[]): number =>
      -(this.#hash(context) % 4096) / 256 - error - (this.fault === 'rounds' ? ROUNDING * this.#random.normal() : 0);
    const tokens = [...given];
    for (let i = 0; i < max_tokens; i += 1) tokens.push(this.#hash(tokens) % 512);
    const logprobs = tokens.map((_, i) => (i === 0 ? null : value(tokens.slice(0, i + 1))));
    const from = echo ? 0 : given.length;
    return {
      system_fingerprint: 'vllm-0.32.0-test',
      choices: [
        {
          text: tokens.slice(from).join(' '),
          token_ids: tokens.slice(given.length),
          prompt_token_ids: given,
          logprobs: { tokens: tokens.slice(from).map(String), token_logprobs: logprobs.slice(from) },
        },
      ],
    };
  }

  #error(): number {
    if (this.fault === 'memory') return WRONG;
    return this.fault === 'wavers' && this.answered % 3 === 0 ? WRONG : 0;
  }

  #hash(tokens: readonly number[]): number {
    return textNumber(`${this.revision} ${tokens.join(' ')}`);
  }
}

/** 32 bits of a text (FNV-1a). */
function textNumber(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

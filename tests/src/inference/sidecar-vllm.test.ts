/** Real clients of the OpenAI API against a real vLLM, directly and through the sidecar that samples every request. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from '@sentinel/test-kit';
import OpenAI from 'openai';
import { ROOT } from '../harness/paths.js';
import { python, type Server, startVllm, TINY } from './servers.js';
import { type Sidecar, startSidecar } from './sidecar.js';

const run = promisify(execFile);
const SURFACE = join(ROOT, 'tests/src/inference/clients/openai_surface.py');
const SUITE_MS = 1_800_000;
const CLIENT_MS = 300_000;
/** Of one request; vLLM continues 32 at once. */
const PROMPTS = 320;
const STOPS_MS = 30_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

describe('vLLM behind the sidecar', { timeout: SUITE_MS }, () => {
  let vllm: Server;
  let sidecar: Sidecar;

  before(async () => {
    vllm = await startVllm({ args: ['--enable-auto-tool-choice', '--tool-call-parser', 'hermes'] });
    sidecar = await startSidecar({ framework: 'vllm', upstream_url: vllm.url });
  });

  after(async () => {
    await sidecar?.[Symbol.asyncDispose]();
    await vllm?.[Symbol.asyncDispose]();
  });

  async function surface(url: string): Promise<Record<string, unknown>> {
    const options = { timeout: CLIENT_MS, maxBuffer: MAX_OUTPUT_BYTES };
    const { stdout } = await run(await python('clients'), [SURFACE, url, TINY], options);
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  it('answers the Python client alike, whatever it asks for, sampled or not', async () => {
    const direct = await surface(vllm.url);
    for (let round = 1; round <= 2; round += 1) {
      const through = await surface(sidecar.url);
      assert.deepEqual(Object.keys(through), Object.keys(direct));
      for (const [name, expected] of Object.entries(direct)) assert.deepEqual(through[name], expected, name);
    }
    await sidecar.reaches('sentinel_inference_records_total', 30);
  });

  it('answers the client for Node alike', async () => {
    const ask = async (url: string) => {
      const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
      const request = { model: TINY, temperature: 0, max_tokens: 8 };
      const messages = [{ role: 'user' as const, content: 'silent data' }];
      const whole = await client.chat.completions.create({ ...request, messages });
      let streamed = '';
      const stream = await client.chat.completions.create({ ...request, messages, stream: true });
      for await (const { choices } of stream) streamed += choices[0]?.delta.content ?? '';
      const completion = await client.completions.create({ ...request, prompt: 'silent' });
      const { data } = await client.models.list();
      return {
        choices: whole.choices,
        usage: whole.usage,
        streamed,
        texts: completion.choices,
        models: data.map(({ id }) => id),
      };
    };
    const expected = await ask(vllm.url);
    for (let round = 1; round <= 3; round += 1) assert.deepEqual(await ask(sidecar.url), expected);
  });

  it('answers over HTTP/2 as over HTTP/1.1', async () => {
    const body = JSON.stringify({ model: TINY, prompt: 'every probe', max_tokens: 8, temperature: 0 });
    const headers = { 'content-type': 'application/json' };
    const texts = (text: string) => (JSON.parse(text) as { choices: unknown }).choices;
    const direct = await (await fetch(`${vllm.url}/v1/completions`, { method: 'POST', body, headers })).text();
    const session = connect(sidecar.url);
    for (let round = 1; round <= 2; round += 1) {
      const stream = session.request({ ':method': 'POST', ':path': '/v1/completions', ...headers });
      stream.end(body);
      let through = '';
      stream.setEncoding('utf8');
      for await (const part of stream) through += part as string;
      assert.deepEqual(texts(through), texts(direct));
    }
    session.close();
  });

  it('stops generating when a client leaves', async () => {
    const running = async (): Promise<number> => {
      const page = await (await fetch(`${vllm.url}/metrics`)).text();
      return Number(/^vllm:num_requests_running\{[^}]*\} (\S+)$/m.exec(page)?.[1]);
    };
    const leaving = new AbortController();
    // Work for minutes, so that it does not end by itself while the test, or whoever closes a connection, gets no time of the machine.
    const prompt = Array.from({ length: PROMPTS }, () => 'a');
    const body = JSON.stringify({ model: TINY, prompt, max_tokens: 900, stream: true, ignore_eos: true });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${sidecar.url}/v1/completions`, {
      method: 'POST',
      body,
      headers,
      signal: leaving.signal,
    });
    await answer.body?.getReader().read();
    await eventually(async () => (await running()) > 0, { what: 'it generates', timeoutMs: STOPS_MS });
    leaving.abort();
    await eventually(async () => (await running()) === 0, { what: 'it stops', timeoutMs: STOPS_MS });
  });
});

import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Replay } from '@sentinel/contracts/sentinel/v1/inference.js';
import { ModelServer } from '@sentinel/monitor-kit/testing/model-server';
import { SentinelError } from '@sentinel/service-kit/errors';
import { UpstreamHttp } from './http.js';
import { configHashOf, identify } from './identity.js';
import { replayTensors } from './kserve.js';
import { OpenAiServer } from './openai.js';

interface Given {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answer = { status?: number; body: unknown; headers?: Record<string, string> };

/** A server that answers as told, null = it hangs up, and what it was asked. */
async function serve(t: TestContext, answer: (given: Given, asked: number) => Answer | null, apiKey = '') {
  const asked: Given[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const given = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('latin1') };
    asked.push(given);
    const told = answer(given, asked.length);
    if (told === null) return response.destroy();
    const { status = 200, body, headers = {} } = told;
    response.writeHead(status, headers);
    response.end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
  };
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close().closeAllConnections());
  const http = new UpstreamHttp(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, apiKey);
  return { http, asked, openai: new OpenAiServer(http) };
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => '',
    (error) => SentinelError.from(error).code,
  );

test('a canary is asked greedily, and answered with tokens and exact probabilities', async (t) => {
  const model = new ModelServer();
  await model.start();
  t.after(() => model.stop());
  const openai = new OpenAiServer(new UpstreamHttp(model.url, ''));
  const one = await openai.canary('tiny', 'a b c', 4);
  assert.deepEqual([one.tokens.length, one.values.length, one.fingerprint], [4, 6, 'vllm-0.32.0-test']);
  assert.deepEqual(await openai.canary('tiny', 'a b c', 4), one);
  model.fault = 'memory';
  const wrong = await openai.canary('tiny', 'a b c', 4);
  assert.deepEqual(wrong.tokens, one.tokens);
  assert.notDeepEqual(wrong.values, one.values);
});

test('a replay is one prefill, without the token that had to be asked for', async (t) => {
  const model = new ModelServer();
  await model.start();
  t.after(() => model.stop());
  const openai = new OpenAiServer(new UpstreamHttp(model.url, ''));
  const replayed = await openai.replay('tiny', Replay.fromPartial({ prompt: [1, 2], completion: [3, 4, 5] }));
  assert.deepEqual([replayed.tokens, replayed.values.length], [[], 4]);
});

test('a server that refuses to tell of the prompt is asked without it from then on', async (t) => {
  const choice = { text: ' x', logprobs: { tokens: [' x'], token_logprobs: [-0.5] } };
  const { openai, asked } = await serve(t, ({ body }) =>
    body.includes('"echo"') ? { status: 400, body: { error: 'no echo' } } : { body: { choices: [choice] } },
  );
  for (let i = 0; i < 2; i += 1) assert.deepEqual((await openai.canary('m', 'p', 1)).values, [-0.5]);
  assert.equal(asked.length, 3);
  const sent = JSON.parse(asked[2]?.body ?? '') as Record<string, unknown>;
  assert.deepEqual([sent['temperature'], sent['seed'], sent['max_tokens'], sent['stream']], [0, 0, 1, false]);
});

test('a server that refuses fields that it does not know is asked without them from then on', async (t) => {
  const choice = { text: ' x', logprobs: { tokens: [' x'], token_logprobs: [-0.5, -0.25] } };
  const { openai, asked } = await serve(t, ({ body }) =>
    /return_token_ids|cache_salt/.test(body)
      ? { status: 400, body: { type: 'extra_forbidden' } }
      : { body: { choices: [choice] } },
  );
  for (let i = 0; i < 2; i += 1) assert.deepEqual((await openai.canary('m', 'p', 1)).values, [-0.5, -0.25]);
  assert.equal(asked.length, 4);
  assert.match(asked[3]?.body ?? '', /"echo":true/);
  const replay = Replay.fromPartial({ prompt: [1], completion: [2] });
  for (let i = 0; i < 2; i += 1) assert.deepEqual((await openai.replay('m', replay)).values, [-0.5]);
  assert.equal(asked.length, 7);
});

test('a server that refuses once for another reason is asked for as much as before', async (t) => {
  const refusals = [429, 401, 404, 500];
  const choice = { text: ' x', logprobs: { tokens: [' x'], token_logprobs: [-0.5] } };
  const { openai, asked } = await serve(t, () => {
    const status = refusals.shift();
    return status === undefined ? { body: { choices: [choice] } } : { status, body: { error: 'not now' } };
  });
  for (const status of [...refusals])
    await assert.rejects(openai.canary('tiny', 'One', 4), new RegExp(`answers ${status}`));
  await openai.canary('tiny', 'One', 4);
  assert.deepEqual(
    asked.map(({ body }) => [body.includes('"echo"'), body.includes('cache_salt')]),
    Array(5).fill([true, true]),
  );
});

test('what a user wrote is in no message, though the server quotes it when it refuses; nor is a query', async (t) => {
  const { http, openai } = await serve(t, ({ body }) => ({ status: 400, body: { error: `bad input: ${body}` } }));
  const body = Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'SECRET' }] }));
  const said = async (promise: Promise<unknown>) =>
    promise.then(
      () => assert.fail('it was refused'),
      (error) => SentinelError.from(error).sentence,
    );
  const chat = '/v1/chat/completions';
  const sentences = [
    await said(openai.replay('m', Replay.fromPartial({ path: chat, body }))),
    await said(openai.replay('m', Replay.fromPartial({ path: `${chat}?key=SECRET`, body }))),
    await said(replayTensors(http, Replay.fromPartial({ path: '/v2/models/m/infer', body }))),
    await said(replayTensors(http, Replay.fromPartial({ path: '/v2/models/m/infer?key=SECRET', body }))),
  ];
  assert.match(sentences[0] ?? '', /answers 400/);
  for (const sentence of sentences) assert.doesNotMatch(sentence, /SECRET/);
});

test('a chat of a user is asked again greedily, with nothing else of what was sent', async (t) => {
  const content = [{ token: 'Yes', logprob: -0.25 }];
  const { openai, asked } = await serve(t, () => ({ body: { choices: [{ message: {}, logprobs: { content } }] } }));
  const body = { model: 'm', messages: [{ role: 'user', content: 'hi' }], temperature: 1.5, stream: true, user: 'u' };
  const replay = Replay.fromPartial({ path: '/v1/chat/completions', body: Buffer.from(JSON.stringify(body)) });
  assert.deepEqual((await openai.replay('m', replay)).values, [-0.25]);
  const sent = JSON.parse(asked[0]?.body ?? '') as Record<string, unknown>;
  assert.deepEqual([sent['temperature'], sent['stream'], sent['user'], sent['logprobs']], [0, false, undefined, true]);
});

test('nothing but questions to the model is asked for another replica', async (t) => {
  const { http, openai, asked } = await serve(t, () => ({ body: {} }));
  for (const path of ['/v1/load_lora_adapter', '/metrics', '/v2/repository/models/m/unload', '/v2/models/../x/infer']) {
    const replay = Replay.fromPartial({ path, body: Buffer.from('{}') });
    assert.equal(await codeOf(openai.replay('m', replay)), 'INVALID_ARGUMENT', path);
    assert.equal(await codeOf(replayTensors(http, replay)), 'INVALID_ARGUMENT', path);
  }
  assert.equal(asked.length, 0);
});

test('tensors are compared by name, shape and every bit, not by what differs from request to request', async (t) => {
  const raw = Buffer.from([0, 0, 128, 63, 255]);
  const state = { id: '1', raw };
  const { http, asked } = await serve(t, () => {
    const output = { name: 'y', datatype: 'FP32', shape: [1], parameters: { binary_data_size: 4 } };
    const json = Buffer.from(JSON.stringify({ id: state.id, model_version: '1', outputs: [output] }));
    return { body: Buffer.concat([json, state.raw]), headers: { 'inference-header-content-length': `${json.length}` } };
  });
  const body = Buffer.from('{"inputs":[]}abcd');
  const replay = Replay.fromPartial({
    path: '/v2/models/m/infer',
    body,
    headerLength: 13,
    contentType: 'application/octet-stream',
  });
  const one = await replayTensors(http, replay);
  assert.equal(asked[0]?.headers['inference-header-content-length'], '13');
  state.id = '2';
  assert.deepEqual(await replayTensors(http, replay), one);
  state.raw = Buffer.from([1, 0, 128, 63, 255]);
  assert.notDeepEqual(await replayTensors(http, replay), one);
});

test('tensors with values that are no numbers are compared, as Python and strict JSON write them', async (t) => {
  const replay = Replay.fromPartial({ path: '/v2/models/m/infer', body: Buffer.from('{}') });
  for (const value of ['NaN', 'null']) {
    const output = `{"name":"y","datatype":"FP32","shape":[2],"data":[${value},2]}`;
    const { http } = await serve(t, () => ({ body: Buffer.from(`{"model_version":"1","outputs":[${output}]}`) }));
    assert.deepEqual((await replayTensors(http, replay)).values, [Number.NaN, 2], value);
  }
});

test('a server that cannot write that its probabilities are no numbers has answered so', async (t) => {
  const error = { message: 'Out of range float values are not JSON compliant: nan', type: 'BadRequestError' };
  const { openai, asked } = await serve(t, () => ({ status: 400, body: { error } }));
  assert.deepEqual(await openai.canary('m', 'p', 1), { tokens: [], values: [Number.NaN] });
  const replay = Replay.fromPartial({ prompt: [1], completion: [2] });
  assert.deepEqual(await openai.replay('m', replay), { tokens: [], values: [Number.NaN] });
  assert.equal(asked.length, 2);
});

test('another version of the model than was asked for is no answer', async (t) => {
  const { http } = await serve(t, () => ({
    body: { model_version: '2', outputs: [{ name: 'y', shape: [1], data: [1] }] },
  }));
  const replay = (path: string) => Replay.fromPartial({ path, body: Buffer.from('{}') });
  assert.equal((await replayTensors(http, replay('/v2/models/m/infer'))).version, '2');
  assert.equal((await replayTensors(http, replay('/v2/models/m/versions/2/infer'))).version, '2');
  assert.equal(await codeOf(replayTensors(http, replay('/v2/models/m/versions/1/infer'))), 'FAILED_PRECONDITION');
});

test('who the server is: the same hash for the same model and configuration, wherever it lies', async (t) => {
  const of = async (root: string, length = 1024) => {
    const models = { data: [{ id: 'tiny', owned_by: 'vllm', root, max_model_len: length }] };
    const { http } = await serve(t, ({ path }) => ({ body: path === '/version' ? { version: '0.32.0' } : models }));
    return identify(http);
  };
  const one = await of('/models/tiny/');
  assert.deepEqual([one?.api, one?.model, one?.framework], ['openai', 'tiny', 'vllm 0.32.0']);
  const hash = (identity: typeof one, ...more: [string?, string?]) =>
    configHashOf(identity, more[0] ?? '', more[1] ?? '', 'xxhash');
  assert.equal(hash(one), hash(await of('/other/tiny')));
  assert.notEqual(hash(one), hash(await of('/models/tiny', 2048)));
  assert.notEqual(hash(one), hash(one, 'vllm-0.32.0-bfloat16'));
  assert.notEqual(hash(one), hash(one, '', 'what the library says'));
  assert.notEqual(configHashOf(one, '', '', 'sha256'), hash(one));
  assert.equal(configHashOf(null, '', '', 'xxhash'), '');
  const triton = await serve(t, ({ path }) =>
    path === '/v2' ? { body: { name: 'triton', version: '2.51.0' } } : { status: 404, body: {} },
  );
  assert.equal((await identify(triton.http))?.api, 'kserve');
});

test('the key of the server is shown by the monitor itself; a page that is no answer is said to be none', async (t) => {
  const { http, asked, openai } = await serve(t, () => ({ body: Buffer.from('<html>') }), 'secret');
  assert.equal(await codeOf(openai.canary('m', 'p', 1)), 'FAILED_PRECONDITION');
  assert.equal(asked[0]?.headers.authorization, 'Bearer secret');
  const away = new UpstreamHttp('http://127.0.0.1:1', '');
  assert.equal(await codeOf(away.look('/v1/models')), 'UNAVAILABLE');
  const closing = await serve(t, (_, times) => (times === 1 ? null : { body: { version: '1' } }));
  assert.deepEqual(
    await closing.http.look('/version'),
    { version: '1' },
    'a closed connection is no server that is away',
  );
  assert.equal(await codeOf(http.postJson('/x', {})), 'FAILED_PRECONDITION');
});

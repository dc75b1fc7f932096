import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { until } from '@sentinel/monitor-kit/testing/until';
import { answering, type HeadOf, isSet, post, usualHead } from '../../testing/answering.js';
import { startFront } from '../../testing/front-in-process.js';
import { type OpenAiFlavour, OpenAiServer } from '../../testing/openai-server.js';
import { RawClient } from '../../testing/raw-peers.js';
import { sampleAll } from '../../testing/sampler.js';

async function sampled(flavour: OpenAiFlavour = {}) {
  const server = new OpenAiServer(flavour);
  const direct = await server.listen();
  after(() => server.close());
  const { samples, counts, sampling } = sampleAll();
  const { port } = await startFront(direct, { sampling, counts });
  return { server, direct, through: `http://127.0.0.1:${port}`, port, samples, counts };
}

const CHAT = '/v1/chat/completions';
const COMPLETIONS = '/v1/completions';
const REQUESTS: readonly [path: string, request: Record<string, unknown>][] = [
  [COMPLETIONS, { model: 'm', prompt: 'x' }],
  [COMPLETIONS, { model: 'm', prompt: 'x', n: 3, max_tokens: 70, logprobs: null }],
  [COMPLETIONS, { model: 'm', prompt: 'x', stream: true, n: 2 }],
  [COMPLETIONS, { model: 'm', prompt: 'x', logprobs: 2 }],
  [CHAT, { model: 'm', messages: [], logprobs: false, max_tokens: 100 }],
  [CHAT, { model: 'm', messages: [], stream: true, stream_options: { include_usage: true }, seed: 1 }],
  [CHAT, { model: 'm', messages: [], stream: true, stream_options: { continuous_usage_stats: true }, seed: 2 }],
  [CHAT, { model: 'm', messages: [], logprobs: true, top_logprobs: 2 }],
  [CHAT, { model: 'm', messages: [], logprobs: true }],
  [CHAT, { model: 'm', messages: [], logprobs: true, top_logprobs: 1, stream: true }],
  [CHAT, { model: 'm', messages: [], logprobs: true, top_logprobs: 9, stream: true }],
  [CHAT, { model: 'm', messages: [], return_token_ids: true }],
];

for (const [name, flavour] of Object.entries({
  vLLM: {},
  'one that leaves out what was not asked for': { absent: true, noTokenIds: true },
  'one that holds tokens back': { holdsBack: true },
} satisfies Record<string, OpenAiFlavour>))
  test(`clients of sampled requests get, byte for byte, what ${name} answers without`, async () => {
    const { direct, through, samples, counts } = await sampled(flavour);
    for (const [path, request] of REQUESTS) {
      const body = JSON.stringify(request);
      const expected = await post(direct, path, body);
      for (let k = 0; k < 3; k += 1) assert.deepEqual(await post(through, path, body), expected, body);
    }
    const learning = counts.doubts.unknown_shape;
    assert.equal(learning, 4);
    assert.equal(samples.length, REQUESTS.length * 3 - learning);
    assert.ok(samples.every(({ blocks }) => blocks.length > 0));
    // A chat that asks for log probabilities alone is looked at with what it asked for.
    assert.equal(samples.filter(({ blocks }) => (blocks[0]?.entropy ?? 0) > 0).length, samples.length - 3);
    assert.equal(counts.failures, 0);
  });

test('an event with anything else than tokens in it passes, whatever else it lacks', async () => {
  const event = (more: object, choice: object) =>
    `data: ${JSON.stringify({ id: '1', ...more, choices: [{ index: 0, delta: {}, finish_reason: null, ...choice }] })}\n\n`;
  const { direct, through } = await answering(({ logprobs }) => {
    const told = isSet(logprobs) ? { logprobs: { content: [{ token: 'a', logprob: -1, top_logprobs: [] }] } } : {};
    const first = { index: 0, delta: { content: 'a' }, finish_reason: null, ...told };
    return [
      event({}, {}),
      event({ usage: { completion_tokens: 1 } }, told),
      event({}, { content_filter_results: { hate: {} }, ...told }),
      event({ usage: null }, { finish_reason: 'stop' }),
      `data: ${JSON.stringify({ choices: [first] })}\n\n`,
      ...(isSet(logprobs) ? [event({ usage: null, object: 'c' }, told)] : []),
      'data: [DONE]\n\n',
    ].join('');
  });
  const body = JSON.stringify({ model: 'm', messages: [], stream: true });
  const expected = await post(direct, CHAT, body);
  for (let k = 0; k < 3; k += 1) assert.deepEqual(await post(through, CHAT, body), expected);
});

test('the answer to a changed request is passed on in no form that is not rewritten', async () => {
  const odd: ReturnType<HeadOf>[] = [
    [201, { 'content-type': 'application/json' }],
    [200, { 'content-type': 'application/vnd.api+json' }],
    [200, { 'content-type': 'application/x-ndjson' }],
    [200, {}],
  ];
  for (const head of odd) {
    const { direct, through } = await answering(
      ({ logprobs }) => JSON.stringify({ choices: [{ index: 0, logprobs: isSet(logprobs) ? { content: [] } : null }] }),
      (asked) => (isSet(asked['logprobs']) ? head : usualHead(asked)),
    );
    const body = JSON.stringify({ model: 'm', messages: [] });
    const expected = await post(direct, CHAT, body);
    for (let k = 0; k < 3; k += 1) assert.deepEqual(await post(through, CHAT, body), expected);
  }
});

test('a server that writes token ids and refuses to be asked for them is asked without, and sampled', async () => {
  const { server, direct, through, samples, counts } = await sampled({ refusesTokenIds: true });
  const body = JSON.stringify({ model: 'm', prompt: 'x' });
  const expected = await post(direct, COMPLETIONS, body);
  for (let k = 0; k < 5; k += 1) assert.deepEqual(await post(through, COMPLETIONS, body), expected);
  assert.deepEqual([samples.length, counts.doubts.refused, server.bodies.length], [3, 1, 7]);
});

test('how a server writes is learnt of each model, and anew once it was away', async () => {
  let upgraded = false;
  const { direct, through, samples, counts, sampling } = await answering(({ model, logprobs }) => {
    const told = { token_logprobs: [-1], top_logprobs: [{ x: -1 }] };
    const unasked = model === 'b' || upgraded ? {} : { logprobs: null };
    return JSON.stringify({
      model,
      choices: [{ index: 0, text: 'x', ...(isSet(logprobs) ? { logprobs: told } : unasked) }],
    });
  });
  const compare = async () => {
    for (const model of ['a', 'b', 'a', 'b']) {
      const body = JSON.stringify({ model, prompt: 'x' });
      assert.deepEqual(await post(through, COMPLETIONS, body), await post(direct, COMPLETIONS, body), body);
    }
  };
  await compare();
  assert.deepEqual([samples.length, counts.doubts.unknown_shape], [2, 2]);
  upgraded = true;
  sampling.forget();
  await compare();
  assert.deepEqual([samples.length, counts.doubts.unknown_shape], [4, 4]);
});

test('a chat that asks for log probabilities and for no likeliest tokens is not changed: servers write that in their own ways', async () => {
  const { direct, through, samples } = await answering(({ top_logprobs: top }) => {
    const told = { token: 'a', logprob: -1, top_logprobs: isSet(top) ? [{ token: 'a', logprob: -1 }] : null };
    return JSON.stringify({ model: 'm', choices: [{ index: 0, message: {}, logprobs: { content: [told] } }] });
  });
  for (const asked of [{ logprobs: true }, { logprobs: true, top_logprobs: 0 }]) {
    const body = JSON.stringify({ model: 'm', messages: [], ...asked });
    const expected = await post(direct, CHAT, body);
    assert.deepEqual(await post(through, CHAT, body), expected);
  }
  assert.equal(samples.length, 2);
});

test('a NaN that a server writes as Python does is told, and hidden like everything that was not asked for', async () => {
  const { direct, through, samples, counts } = await answering(({ logprobs }) =>
    isSet(logprobs)
      ? '{"model":"m","choices":[{"index":0,"text":"x","logprobs":{"token_logprobs":[NaN],"top_logprobs":[{"x":NaN}]}}]}'
      : '{"model":"m","choices":[{"index":0,"text":"x","logprobs":null}]}',
  );
  const body = JSON.stringify({ model: 'm', prompt: 'x' });
  const expected = await post(direct, COMPLETIONS, body);
  for (let k = 0; k < 3; k += 1) assert.deepEqual(await post(through, COMPLETIONS, body), expected);
  assert.deepEqual([samples.length, counts.doubts.answer, samples[0]?.blocks[0]?.impossible], [2, 0, 2]);
});

test('any number of likeliest tokens is looked at', async () => {
  const top = Object.fromEntries(Array.from({ length: 150_000 }, (_, k) => [`t${k}`, -12.25]));
  const { through, samples, counts } = await answering(() =>
    JSON.stringify({
      model: 'm',
      choices: [{ index: 0, text: 'x', logprobs: { token_logprobs: [-1], top_logprobs: [top] } }],
    }),
  );
  assert.equal((await post(through, COMPLETIONS, JSON.stringify({ prompt: 'x', logprobs: 150_000 }))).status, 200);
  assert.deepEqual([samples.length, counts.failures], [1, 0]);
});

test('a server that hangs up on the changed request gets the original, once, and soon is left alone', async () => {
  const { direct, through, counts } = await answering(({ logprobs }) =>
    isSet(logprobs) ? null : '{"model":"m","choices":[{"index":0,"text":"x","logprobs":null}]}',
  );
  const body = JSON.stringify({ model: 'm', prompt: 'x' });
  const expected = await post(direct, COMPLETIONS, body);
  for (let k = 0; k < 10; k += 1) assert.deepEqual(await post(through, COMPLETIONS, body), expected);
  assert.equal(counts.doubts.refused, 9);
});

test('a chat with a picture is not computed again by its tokens alone', async () => {
  const { through, samples } = await sampled();
  const text = { type: 'text', text: 'what is it?' };
  const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } };
  for (const content of [[text], [text, picture]])
    for (let k = 0; k < 2; k += 1)
      await post(through, CHAT, JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }));
  const told = samples.map(({ replay }) => [replay?.completion.length, replay?.path]);
  assert.deepEqual(told, [
    [4, ''],
    [0, CHAT],
    [0, CHAT],
  ]);
});

test('a sample tells tokens, blocks, times and how to compute the request again', async () => {
  const { through, samples } = await sampled();
  const body = JSON.stringify({ model: 'm', messages: [], max_tokens: 100 });
  for (let k = 0; k < 2; k += 1) await post(through, CHAT, body);
  const [sample] = samples;
  assert.deepEqual([sample?.model, sample?.timeUs, sample?.promptTokens, sample?.completionTokens], ['m', 7n, 3, 100]);
  assert.deepEqual(
    sample?.blocks.map(({ logprobs }) => logprobs.length),
    [64, 36],
  );
  assert.deepEqual(sample?.replay?.prompt, [1, 2, 3]);
  assert.equal(sample?.replay?.completion.length, 100);
  assert.equal(sample?.replay?.body.length, 0);
  assert.ok((sample?.blocks[0]?.entropy ?? 0) > 0);
});

test('without token ids the request itself is what can be computed again', async () => {
  const { through, samples } = await sampled({ noTokenIds: true });
  const body = JSON.stringify({ model: 'm', prompt: 'x' });
  for (let k = 0; k < 2; k += 1) await post(through, COMPLETIONS, body);
  const { replay } = samples[0] ?? {};
  assert.deepEqual([Buffer.from(replay?.body ?? []).toString(), replay?.path], [body, COMPLETIONS]);
});

for (const status of [400, 403, 413, 422, 429, 500, 501, 503])
  test(`a server that answers the changed request with ${status} gets the original, once, and soon is left alone`, async () => {
    const { server, through, counts } = await sampled({ refuses: { status, message: 'no' } });
    const body = JSON.stringify({ model: 'm', prompt: 'x' });
    const answers = new Set<string>();
    for (let k = 0; k < 10; k += 1) answers.add((await post(through, COMPLETIONS, body)).text);
    assert.equal(answers.size, 1);
    assert.match([...answers][0] ?? '', /"finish_reason":"length"/);
    assert.equal(server.bodies.length, 10 + 5);
    assert.deepEqual([counts.doubts.refused, counts.sampled], [9, 0]);
  });

for (const status of [429, 502, 503, 504])
  test(`a server that has too much to do, which ${status} says to the original as well, gets one request more and then none`, async () => {
    const asked: boolean[] = [];
    let busy = false;
    const take = async (request: IncomingMessage, response: ServerResponse) => {
      asked.push(/"logprobs":5/.test(Buffer.concat(await request.toArray()).toString()));
      response.writeHead(busy ? status : 200, { 'content-type': 'application/json' });
      response.end('{"model":"m","choices":[{"index":0,"text":"x","logprobs":null}]}');
    };
    const server = createServer((request, response) => void take(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    after(() => server.close().closeAllConnections());
    let nowMs = 0;
    const { counts, sampling } = sampleAll(1, () => nowMs);
    const direct = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { port } = await startFront(direct, { sampling, counts });
    const ask = async () => (await post(`http://127.0.0.1:${port}`, COMPLETIONS, '{"model":"m","prompt":"x"}')).status;
    assert.equal(await ask(), 200);
    busy = true;
    for (let k = 0; k < 5; k += 1) assert.equal(await ask(), status);
    assert.deepEqual(asked, [false, true, false, false, false, false, false]);
    busy = false;
    assert.equal(await ask(), 200);
    assert.deepEqual([counts.doubts.overloaded, counts.doubts.refused], [5, 0]);
    nowMs = 10_001;
    assert.equal(await ask(), 200);
    assert.equal(asked.at(-1), true);
  });

for (const path of [COMPLETIONS, CHAT])
  test(`a server that cannot write that probabilities are no numbers tells by its refusal: ${path}`, async () => {
    const message = 'Out of range float values are not JSON compliant: nan';
    const { through, counts, samples } = await sampled({ refuses: { status: 400, message } });
    const body = JSON.stringify({ model: 'm', prompt: 'x', messages: [] });
    for (let k = 0; k < 10; k += 1) assert.equal((await post(through, path, body)).status, 200);
    assert.deepEqual([counts.doubts.refused, counts.sampled], [0, 9]);
    for (const { model, blocks } of samples) assert.deepEqual([model, blocks[0]?.impossible], ['m', 1]);
  });

test('an answer that cannot be read is not given back with what was added', async () => {
  const { through, counts, server } = await sampled({ compresses: true });
  const body = JSON.stringify({ model: 'm', prompt: 'x' });
  for (let k = 0; k < 3; k += 1) assert.match((await post(through, COMPLETIONS, body)).text, /"logprobs":null/);
  assert.deepEqual([server.bodies.length, counts.doubts.refused], [5, 2]);
});

test('a client that makes mistakes does not keep others from being sampled', async () => {
  const { through, counts } = await sampled();
  const good = JSON.stringify({ model: 'm', prompt: 'x' });
  const bad = JSON.stringify({ model: 'm', prompt: 'x', max_tokens: -1 });
  await post(through, COMPLETIONS, good);
  for (let k = 0; k < 8; k += 1) assert.equal((await post(through, COMPLETIONS, bad)).status, 400);
  await post(through, COMPLETIONS, good);
  assert.deepEqual([counts.doubts.refused, counts.sampled], [0, 1]);
});

test('what nobody is certain about passes unchanged', async () => {
  const { server, direct, through, counts } = await sampled();
  const warm = JSON.stringify({ model: 'm', prompt: 'x' });
  await post(through, COMPLETIONS, warm);
  const doubtful = [
    { model: 'm', prompt: 'x', echo: true },
    { model: 'm', prompt: 'x', best_of: 3 },
    { model: 'm', prompt: 'x', use_beam_search: true },
    { model: 'm', prompt: 'x', prompt_logprobs: 2 },
    { model: 'm', prompt: 'x', logprobs: 'yes' },
    { model: 'm', prompt: 'x', stream: 'yes' },
  ].map((request) => JSON.stringify(request));
  for (const body of [...doubtful, '[1]', '{"model":"m",', ' '.repeat(1_048_577)]) {
    const expected = await post(direct, COMPLETIONS, body);
    assert.deepEqual(await post(through, COMPLETIONS, body), expected);
    assert.equal(server.bodies.at(-1), body);
  }
  assert.deepEqual([counts.doubts.conflict, counts.doubts.malformed, counts.doubts.too_large], [6, 2, 1]);
  await post(through, '/v1/models', '{}');
  assert.equal(counts.doubts.route, 1);
});

test('what the request says besides stays byte for byte', async () => {
  const { server, through } = await sampled();
  const body =
    '{ "model":"m", "prompt":"\\u00fc", "seed": 123456789012345678901234567890, "x": 1.0 , "logprobs" : null }';
  for (let k = 0; k < 2; k += 1) await post(through, COMPLETIONS, body);
  assert.equal(
    server.bodies[1],
    '{ "model":"m", "prompt":"\\u00fc", "seed": 123456789012345678901234567890, "x": 1.0 , "logprobs" : 5,"return_token_ids":true }',
  );
});

test('events come as the server sends them, and a client that leaves stops it', async () => {
  const { server, port, through } = await sampled({ eventMs: 50 });
  const body = JSON.stringify({ model: 'm', messages: [], stream: true, max_tokens: 3 });
  await post(through, CHAT, body);
  const client = await RawClient.connect(port);
  const long = JSON.stringify({ model: 'm', messages: [], stream: true, max_tokens: 1000 });
  await client.send(
    `POST ${CHAT} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: ${long.length}\r\n\r\n${long}`,
  );
  await until('three events', () => client.text.split('data: ').length > 3);
  assert.doesNotMatch(client.text, /top_logprobs/);
  client.socket.destroy();
  await until('the server stops', () => server.aborted === 1);
});

for (const ends of [false, true])
  test(`requests behind a sampled one on the same connection are answered in order${ends ? ', also where the client has sent its last' : ''}`, async () => {
    const { port, through, samples } = await sampled();
    const body = JSON.stringify({ model: 'm', prompt: 'x' });
    await post(through, COMPLETIONS, body);
    const client = await RawClient.connect(port);
    const request = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    await client.send(request(COMPLETIONS) + request('/nowhere') + request(COMPLETIONS), 11);
    if (ends) client.socket.end();
    await until('three answers', () => client.text.split('HTTP/1.1 ').length === 4 && client.text.endsWith('}'));
    assert.deepEqual(
      [...client.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
      ['200', '404', '200'],
    );
    assert.doesNotMatch(client.text, /top_logprobs/);
    assert.ok(samples.length >= 1);
  });

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { startFront } from '../../testing/front-in-process.js';
import { sampleAll } from '../../testing/sampler.js';

test('an answer that is signed is no other than the client asked for: its digest fits', async () => {
  const digestOf = (text: string) => `sha-256=:${createHash('sha256').update(text).digest('base64')}:`;
  let isSigned = false;
  let answered = 0;
  const server = createServer((request, response) => {
    void request.toArray().then((parts) => {
      const asked = JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>;
      const logprobs = asked['logprobs'] !== undefined ? { token_logprobs: [-1], top_logprobs: [{ x: -1 }] } : null;
      const text = JSON.stringify({ model: 'm', choices: [{ index: 0, text: 'x', logprobs }] });
      answered += 1;
      const digest = isSigned ? { 'Content-Digest': digestOf(text) } : {};
      response.writeHead(200, { 'content-type': 'application/json', ...digest }).end(text);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close().closeAllConnections());
  const { samples, counts, sampling } = sampleAll();
  const { port } = await startFront(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { sampling, counts });
  const ask = async (more: object = {}) => {
    const body = JSON.stringify({ model: 'm', prompt: 'x', ...more });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`http://127.0.0.1:${port}/v1/completions`, { method: 'POST', body, headers });
    const text = await response.text();
    if (isSigned) assert.equal(response.headers.get('content-digest'), digestOf(text));
    return text;
  };
  isSigned = true;
  const expected = await ask();
  await ask();
  assert.deepEqual([answered, counts.doubts.answer, samples.length], [2, 2, 0], 'no request is changed');
  await ask({ logprobs: 2 });
  assert.equal(samples.length, 1, 'what is not changed can be looked at');
  isSigned = false;
  await ask();
  isSigned = true;
  assert.equal(await ask(), expected);
  assert.deepEqual([answered, counts.doubts.refused], [6, 1], 'one that was changed is asked again as it came');
});

/** Sampled requests over HTTP/1.1 and HTTP/2 alike. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { until } from '@sentinel/monitor-kit/testing/until';
import { serverAt, startFront } from '../testing/front-in-process.js';
import { sampleAll } from '../testing/sampler.js';
import { Http2Bridge } from './http2/bridge.js';

const HEADERS = { 'content-type': 'application/json' };
const ANSWER = '{"model":"m","choices":[{"index":0,"text":"x","logprobs":null}]}';

type Ask = (path: string, body: string) => Promise<{ status: number; text: string }>;

/** A front that draws every request, asked over both protocols. */
async function asked(take: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(take);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close().closeAllConnections());
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { sampling, counts, samples } = sampleAll();
  const bridge = new Http2Bridge({ ...serverAt(upstream), sampling, counts, maxRequests: 100 });
  const http2 = (client: Parameters<Http2Bridge['serve']>[0], first: Buffer) => bridge.serve(client, first);
  const { front, port } = await startFront(upstream, { sampling, counts, http2 });
  const url = `http://127.0.0.1:${port}`;
  const session = connect(url).on('error', () => undefined);
  after(() => session.destroy());
  const one: Ask = async (path, body) => {
    const answer = await fetch(`${url}${path}`, { method: 'POST', body, headers: HEADERS });
    return { status: answer.status, text: await answer.text() };
  };
  const two: Ask = async (path, body) => {
    const stream = session.request({ ':method': 'POST', ':path': path, ...HEADERS });
    stream.end(body);
    const [{ ':status': status }] = (await once(stream, 'response')) as [{ ':status': number }];
    return { status, text: Buffer.concat(await stream.toArray()).toString() };
  };
  return { protocols: { 'HTTP/1.1': one, 'HTTP/2': two }, samples, waiting: () => front.waiting + bridge.waiting };
}

describe('sampled requests', () => {
  it('whose refusal is cut off are sent as they were, and answered', async () => {
    let refused = 0;
    const take = async (request: IncomingMessage, response: ServerResponse) => {
      const isChanged = Buffer.concat(await request.toArray()).includes('"logprobs":5');
      if (!isChanged) return response.writeHead(200, HEADERS).end(ANSWER);
      refused += 1;
      response.writeHead(400, { ...HEADERS, 'content-length': 100 });
      const { socket } = request;
      return response.write('{"error":', () =>
        refused % 2 === 0 ? socket.destroySoon() : setTimeout(() => socket.resetAndDestroy(), 20),
      );
    };
    const { protocols } = await asked((request, response) => void take(request, response));
    for (const [protocol, ask] of Object.entries(protocols))
      for (let k = 0; k < 3; k += 1) {
        const answer = await ask('/v1/completions', '{"model":"m","prompt":"x"}');
        assert.deepEqual(answer, { status: 200, text: ANSWER }, protocol);
      }
    assert.equal(refused, 5, 'all but the first, from which the way of writing is learnt');
  });

  it('count with what is kept of their answers, until these are whole', async () => {
    const start = `{"model_name":"m","outputs":[{"name":"o","datatype":"FP32","shape":[1],"data":[1]}],"pad":"${'x'.repeat(1_000_000)}`;
    let end = (): void => undefined;
    const { protocols, samples, waiting } = await asked((request, response) => {
      request.resume();
      response.writeHead(200, HEADERS).write(start);
      end = () => response.end('"}');
    });
    for (const [protocol, ask] of Object.entries(protocols)) {
      const answer = ask('/v2/models/m/infer', '{"inputs":[]}');
      await until(`${protocol} counts`, () => waiting() > 1_000_000);
      end();
      assert.equal((await answer).text.length, start.length + 2);
      await until(`nothing of ${protocol} is left`, () => waiting() === 0);
    }
    await until('both are read', () => samples.length === 2);
  });
});

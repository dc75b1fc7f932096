/** A front before a server that answers by the request alone, all of whose requests are sampled. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import { startFront } from './front-in-process.js';
import { sampleAll } from './sampler.js';

type Asked = Record<string, unknown>;
export type HeadOf = (asked: Asked) => readonly [status: number, headers: Record<string, string>];

export const usualHead: HeadOf = ({ stream }) => [
  200,
  { 'content-type': stream === true ? 'text/event-stream' : 'application/json' },
];

/** @param answer what the server writes, or null = it hangs up */
export async function answering(answer: (asked: Asked) => string | null, headOf: HeadOf = usualHead) {
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const text = Buffer.concat(await request.toArray()).toString();
    const asked = JSON.parse(text) as Asked;
    const written = answer(asked);
    if (written === null) request.socket.destroy();
    else response.writeHead(...headOf(asked));
    response.end(written);
  };
  const server = createServer((request, response) => void take(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close().closeAllConnections());
  const direct = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { samples, counts, sampling } = sampleAll();
  const { port } = await startFront(direct, { sampling, counts });
  return { direct, through: `http://127.0.0.1:${port}`, samples, counts, sampling };
}

/** As a key of a request: neither left out nor switched off. */
export const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== false;

export async function post(url: string, path: string, body: string) {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  });
  return { status: response.status, text: await response.text() };
}

import type { Socket } from 'node:net';

/** Time in which the client may take the answer. */
const LINGER_MS = 2_000;

/** In the shape of the OpenAI API. */
export const UNAVAILABLE_BODY = JSON.stringify({
  error: {
    message: 'The inference server cannot be reached.',
    type: 'server_error',
    param: null,
    code: 'upstream_unavailable',
  },
});

const ANSWER = [
  'HTTP/1.1 502 Bad Gateway',
  'Content-Type: application/json',
  `Content-Length: ${Buffer.byteLength(UNAVAILABLE_BODY)}`,
  'Connection: close',
  '',
  UNAVAILABLE_BODY,
].join('\r\n');

/** The only answer that is the front's own. */
export function answerUnavailable(client: Socket): void {
  client.removeAllListeners('data');
  client.resume();
  client.setTimeout(LINGER_MS, () => client.destroy());
  client.end(ANSWER);
}

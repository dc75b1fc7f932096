import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { FetchLike } from '@sentinel/audit-ledger/verify';
import { loadClientTls } from './connection.js';
import type { ClientTls } from './endpoints.js';

const TIMEOUT_MS = 30_000;
/** A page of 1,000 details of 64 KiB in base64 is the largest honest answer. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;

/** GET with an installation's own certificate authority, which the built-in fetch cannot be given. */
export function httpFetch(tls: ClientTls | null): FetchLike {
  const secure =
    tls === null
      ? {}
      : { ...loadClientTls(tls), ...(tls.serverName === undefined ? {} : { servername: tls.serverName }) };
  const request = tls === null ? plainRequest : secureRequest;
  return (url) =>
    new Promise((resolve, reject) => {
      const call = request(url, { ...secure, timeout: TIMEOUT_MS }, (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) call.destroy(new Error(`the answer exceeds ${MAX_ANSWER_BYTES} bytes`));
          else chunks.push(chunk);
        });
        answer.on('error', reject);
        answer.on('end', () => {
          const status = answer.statusCode ?? 0;
          const body = Buffer.concat(chunks);
          resolve({ ok: status === 200, status, arrayBuffer: async () => Uint8Array.from(body).buffer });
        });
      });
      call.on('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
      call.on('error', reject);
      call.end();
    });
}

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { ClientConnection } from '@sentinel/service-kit/grpc-client';

type Files = NonNullable<ClientConnection['tls']>['files'];

export interface HttpsAnswer {
  readonly status: number;
  readonly json: {
    readonly error?: { readonly reason: string; readonly message: string };
    readonly transition?: { readonly actor: string };
  };
}

/**
 * Asks over HTTPS, on a connection of its own.
 * @param files `certFile` '' = shows no certificate
 * @param order posted as JSON; null = GET
 */
export async function askHttps(
  address: string,
  path: string,
  files: Files,
  order: object | null = null,
  token = '',
): Promise<HttpsAnswer> {
  const { certFile, keyFile, caFile } = files;
  const own = certFile === '' ? {} : { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  const asked = request(`https://${address}${path}`, {
    ...own,
    ca: readFileSync(caFile),
    agent: false,
    method: order === null ? 'GET' : 'POST',
    headers: {
      ...(order === null ? {} : { 'content-type': 'application/json' }),
      ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    },
  });
  asked.end(order === null ? undefined : JSON.stringify(order));
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  return { status: answer.statusCode ?? 0, json: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
}

import { isIP } from 'node:net';
import { SentinelError } from './errors.js';

export interface GuardOptions {
  /** Configuration section whose `http` keys the other two are. */
  readonly section: string;
  /** Web origins, besides our own, whose pages may call. */
  readonly allowedOrigins: readonly string[];
  /** Names, with or without a port, besides addresses and localhost, under which we answer. */
  readonly allowedHosts: readonly string[];
}

/**
 * A web page that a person has open can reach a port on loopback. The name that such a page used is in Host, the page itself in
 * Origin: neither may be a stranger's.
 * @throws SentinelError PERMISSION_DENIED
 */
export function checkWebCaller(
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  options: GuardOptions,
): void {
  const host = (headers.host ?? '').toLowerCase();
  if (!isOurs(host, options.allowedHosts))
    throw refused('Host', headers.host ?? '', `${options.section}.http.allowed_hosts`);
  const { origin } = headers;
  if (origin === undefined || options.allowedOrigins.includes(origin)) return;
  if (origin.replace(/^https?:\/\//, '').toLowerCase() !== host)
    throw refused('Origin', origin, `${options.section}.http.allowed_origins`);
}

/** An address cannot be made to mean another machine; a name can. */
function isOurs(host: string, allowed: readonly string[]): boolean {
  const name = host.replace(/:\d+$/, '');
  if (name === 'localhost' || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0) return true;
  return allowed.some((entry) => entry.toLowerCase() === host || entry.toLowerCase() === name);
}

function refused(header: string, value: string, key: string): SentinelError {
  const message = `${header} ${JSON.stringify(value.slice(0, 100))} is none of this service`;
  return new SentinelError({
    code: 'PERMISSION_DENIED',
    message,
    field: header,
    hint: `Add it to ${key} if it should be.`,
  });
}

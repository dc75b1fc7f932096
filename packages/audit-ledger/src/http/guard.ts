/**
 * Which browsers may speak to a port that is meant for tools: a name that an attacker's page made resolve to us (DNS
 * rebinding) is seen in Host, the page itself in Origin.
 */
import { isIP } from 'node:net';

export interface GuardOptions {
  /** Web origins whose pages may read. */
  readonly allowedOrigins: readonly string[];
  /** Names, with or without a port, under which this service answers besides addresses and localhost. */
  readonly allowedHosts: readonly string[];
}

export type Verdict =
  | {
      readonly kind: 'allowed' /** Value of access-control-allow-origin, where one is due. */;
      readonly origin: string | undefined;
    }
  | { readonly kind: 'refused'; readonly field: 'Host' | 'Origin' };

export function judge(
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  options: GuardOptions,
): Verdict {
  const { host = '', origin } = headers;
  if (!isOurHost(host.toLowerCase(), options.allowedHosts)) return { kind: 'refused', field: 'Host' };
  if (origin === undefined) return { kind: 'allowed', origin: undefined };
  const own = origin.replace(/^https?:\/\//, '').toLowerCase() === host.toLowerCase();
  return own || options.allowedOrigins.includes(origin)
    ? { kind: 'allowed', origin }
    : { kind: 'refused', field: 'Origin' };
}

/** An address names a machine and cannot be made to mean another one. */
function isOurHost(host: string, allowed: readonly string[]): boolean {
  const name = host.replace(/:\d+$/, '');
  const bare = name.replace(/^\[(.*)\]$/, '$1');
  if (name === 'localhost' || isIP(bare) !== 0) return true;
  return allowed.some((each) => each.toLowerCase() === host || each.toLowerCase() === name);
}

import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';

/** Not there where the kernel has no IPv6. */
const IPV6_FILE = '/proc/net/if_inet6';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Splits `host:port`, `[::1]:port` or `:port` (all interfaces). Configuration formats have checked the text before. */
export function parseAddress(text: string): Address {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host: host === '' ? '0.0.0.0' : host, port: Number(text.slice(colon + 1)) };
}

/** Where to listen: on `[::]`, which is of IPv4 as well, a machine without IPv6 listens on 0.0.0.0. */
export function parseListenAddress(text: string, hasIpv6: boolean = existsSync(IPV6_FILE)): Address {
  const { host, port } = parseAddress(text);
  return { host: host === '::' && !hasIpv6 ? '0.0.0.0' : host, port };
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress(address: Address | AddressInfo): string {
  const host = 'address' in address ? address.address : address.host;
  return `${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}

/** Only processes of this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

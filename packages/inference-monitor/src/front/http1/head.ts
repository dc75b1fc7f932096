/** Longest head of a request or response that is followed; beyond it the connection is a tunnel. */
export const MAX_HEAD_BYTES = 65_536;

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP\/1\.([01])$/;
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: .*)?$/;

/** How far the body of a message goes. */
export type Extent =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until-close' };

export interface Head {
  /** Of a request. */
  readonly method: string;
  readonly path: string;
  /** Of a response; 0 = a request. */
  readonly status: number;
  /** 0 or 1, of HTTP/1. */
  readonly minor: number;
  /** In order, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/**
 * Reads a head up to and with its empty line.
 * @returns null where anything is unusual: folded lines, bare line feeds, spaces around names (RFC 9112 §2 to §6)
 */
export function parseHead(bytes: Buffer, kind: 'request' | 'response'): Head | null {
  const lines = bytes.toString('latin1', 0, bytes.length - 4).split('\r\n');
  const first = lines[0] ?? '';
  const match = (kind === 'request' ? REQUEST_LINE : STATUS_LINE).exec(first);
  if (match === null) return null;
  const headers: [string, string][] = [];
  for (let k = 1; k < lines.length; k += 1) {
    const line = lines[k] ?? '';
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    if (colon < 1 || !NAME.test(name) || line.includes('\n') || line.includes('\r')) return null;
    headers.push([name.toLowerCase(), line.slice(colon + 1).trim()]);
  }
  if (first.includes('\n') || first.includes('\r')) return null;
  return kind === 'request'
    ? { method: match[1] ?? '', path: match[2] ?? '', status: 0, minor: Number(match[3]), headers }
    : { method: '', path: '', status: Number(match[2]), minor: Number(match[1]), headers };
}

/** False where a head that has come in part can be none of HTTP/1. */
export function mayBeHead(bytes: Buffer, kind: 'request' | 'response'): boolean {
  const end = bytes.indexOf('\r\n');
  return end < 0 || (kind === 'request' ? REQUEST_LINE : STATUS_LINE).test(bytes.toString('latin1', 0, end));
}

/** Value of a header that is there once; "" = not there, null = there more than once. */
export function header(head: Head, name: string): string | null {
  let found: string | null = '';
  let times = 0;
  for (const [key, value] of head.headers) {
    if (key !== name) continue;
    found = value;
    times += 1;
  }
  return times > 1 ? null : found;
}

/** Another message may follow on the connection (RFC 9112 §9.3). */
export function persists(head: Head | null): boolean {
  const said = head?.headers.filter(([name]) => name === 'connection').map(([, value]) => value.toLowerCase());
  return head?.minor === 1 && said?.some((value) => /\bclose\b/.test(value)) === false;
}

/** Of a request. @returns null where the extent is not certain, or the protocol is left */
export function requestExtent(head: Head): Extent | null {
  if (head.method === 'CONNECT' || header(head, 'upgrade') !== '') return null;
  return framedExtent(head) ?? null;
}

/**
 * Of a response.
 * @param method of the request
 * @returns null where the extent is not certain, or the protocol is left
 */
export function responseExtent(head: Head, method: string): Extent | null {
  if (head.status === 101) return null;
  if (method === 'HEAD' || head.status < 200 || head.status === 204 || head.status === 304) return { kind: 'none' };
  const extent = framedExtent(head);
  if (extent?.kind !== 'none') return extent;
  return header(head, 'content-length') === '' ? { kind: 'until-close' } : extent;
}

function framedExtent(head: Head): Extent | null {
  const length = header(head, 'content-length');
  const coding = header(head, 'transfer-encoding');
  if (length === null || coding === null || (length !== '' && coding !== '')) return null;
  if (coding !== '') return head.minor === 1 && coding.toLowerCase() === 'chunked' ? { kind: 'chunked' } : null;
  if (length === '') return { kind: 'none' };
  if (!/^\d{1,15}$/.test(length)) return null;
  return length === '0' ? { kind: 'none' } : { kind: 'length', bytes: Number(length) };
}

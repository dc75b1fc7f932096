import { resolve } from 'node:path';
import { type Format, FormatError, list, refuse, text } from './formats.js';

/** Formats of values that say where something is: addresses, endpoints, files, stores, web origins, CPU lists. */

const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;
const HOST = /^[A-Za-z0-9_]([A-Za-z0-9._-]{0,252}[A-Za-z0-9_])?\.?$/;
const HOST_PORT = /^(?:\[([0-9a-fA-F:.]+(?:%[A-Za-z0-9]+)?)\]|([^:[\]]*)):(\d{1,5})$/;

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Splits `host:port` or `[v6]:port`; undefined where the text is neither. An empty host stays empty. */
export function splitHostPort(value: string): HostPort | undefined {
  const match = HOST_PORT.exec(value);
  if (match === null) return undefined;
  const host = match[1] ?? match[2] ?? '';
  const port = Number(match[3]);
  if (port > 65_535 || (match[1] === undefined && host !== '' && !HOST.test(host))) return undefined;
  return { host, port };
}

/** True for addresses that only this machine can reach. */
export function isLoopback(hostPort: string): boolean {
  const host = splitHostPort(hostPort)?.host ?? '';
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Where a server listens. `:50051` means every interface; port 0 lets the system choose. */
export const listenAddress: Format<string> = hostPortFormat('an address HOST:PORT to listen on', (parts) =>
  parts.host === '' ? `0.0.0.0:${parts.port}` : undefined,
);

/** What a client connects to. */
export const endpoint: Format<string> = hostPortFormat('an endpoint HOST:PORT', (parts) =>
  parts.host === '' || parts.port === 0 ? null : undefined,
);

/** What others are told to connect to; empty where it is derived. */
export const optionalEndpoint = orEmpty(endpoint);

/** Empty where nothing listens. */
export const optionalListenAddress = orEmpty(listenAddress);

function orEmpty(format: Format<string>): Format<string> {
  const check = (value: unknown) => (value === '' ? '' : format.check(value));
  return { expects: `${format.expects}, or ""`, check, parse: check };
}

/** `rewrite` answers null to refuse, text to replace, undefined to keep what was written. */
function hostPortFormat(expects: string, rewrite: (parts: HostPort) => string | null | undefined): Format<string> {
  const check = (value: unknown): string => {
    const parts = typeof value === 'string' ? splitHostPort(value) : undefined;
    if (parts === undefined) return refuse(expects, value);
    const rewritten = rewrite(parts);
    return rewritten === null ? refuse(expects, value) : (rewritten ?? (value as string));
  };
  return { expects, check, parse: check };
}

/** A node's name: part of file names, MACs and certificate identities. */
export const nodeName = text({
  expects: 'a node name of letters, digits, ".", "_" or "-", at most 253, or "" for the host\'s own',
  pattern: NAME,
  allowEmpty: true,
});

const anyPath = text({ expects: 'a path', allowEmpty: true });
const somePath = text({ expects: 'a path' });

/** A file or folder; relative ones are taken from the folder of the file that set them. Empty means none. */
export const optionalPath: Format<string> = { ...anyPath, resolve: resolvePath };
export const requiredPath: Format<string> = { ...somePath, resolve: resolvePath };

function resolvePath(value: string, baseFolder: string): string {
  return value === '' ? '' : resolve(baseFolder, value);
}

const FOLDER_SCHEMES = ['embedded', 'file'];
const NO_QUERY =
  'a URL without "?" and "#": TLS and the rest have keys of their own (sslmode, ca_file, …), and in a password they are %3F and %23';
const URL_SHAPE = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i;

/**
 * A store's URL with one of `schemes`. `embedded://DIR` and `file://DIR` hold a folder, taken from the file that set them. Clients of
 * databases let a query in the URL win over every setting beside it, that of TLS included: there is none.
 */
export function storeUrl(schemes: readonly string[], rules: { readonly allowEmpty?: boolean } = {}): Format<string> {
  const expects = `a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  const check = (value: unknown): string => {
    if (value === '' && rules.allowEmpty === true) return '';
    if (typeof value !== 'string') return refuse(expects, value);
    const [, scheme = '', rest = ''] = URL_SHAPE.exec(value) ?? [];
    const placed = scheme === 'memory' || (FOLDER_SCHEMES.includes(scheme) ? rest !== '' : hasHost(value));
    if (!schemes.includes(scheme) || !placed) return refuse(expects, value);
    if (!FOLDER_SCHEMES.includes(scheme) && /[?#]/.test(rest)) throw new FormatError(NO_QUERY);
    return value;
  };
  return { expects, check, parse: check, resolve: resolveFolderUrl, reveal: revealUrl };
}

function hasHost(url: string): boolean {
  return URL.canParse(url) && new URL(url).hostname !== '';
}

function resolveFolderUrl(url: string, baseFolder: string): string {
  const [, scheme = '', rest = ''] = URL_SHAPE.exec(url) ?? [];
  return FOLDER_SCHEMES.includes(scheme) ? `${scheme}://${resolve(baseFolder, rest)}` : url;
}

/** A URL's scheme and, for folders, everything; the rest may carry credentials in more places than one. */
function revealUrl(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const [, scheme = '', rest = ''] = URL_SHAPE.exec(value) ?? [];
  if (FOLDER_SCHEMES.includes(scheme) || scheme === 'memory') return value;
  if (!hasHost(value)) return undefined;
  const { host, pathname } = new URL(value);
  return /[@?#]/.test(rest) ? `${scheme}://********@${host}${pathname}` : value;
}

/** The folder of an `embedded://` or `file://` URL, undefined for servers. */
export function folderOf(url: string): string | undefined {
  const [, scheme = '', rest = ''] = URL_SHAPE.exec(url) ?? [];
  return FOLDER_SCHEMES.includes(scheme) ? rest : undefined;
}

/** An address of the web that a program calls. */
export function webUrl(rules: { readonly allowEmpty?: boolean } = {}): Format<string> {
  const expects = 'a URL that starts with http:// or https://';
  const check = (value: unknown): string => {
    if (value === '' && rules.allowEmpty === true) return '';
    const good = typeof value === 'string' && /^https?:\/\//.test(value) && hasHost(value);
    if (good) return value;
    // It may hold a password.
    throw String(value).includes('@') ? new FormatError(expects) : refuse(expects, value);
  };
  return { expects, check, parse: check };
}

/** A web origin: scheme, host and port without a path. */
export const webOrigin: Format<string> = (() => {
  const expects = 'a web origin such as https://sentinel.example:8443';
  const check = (value: unknown): string =>
    typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value
      ? value
      : refuse(expects, value);
  return { expects, check, parse: check };
})();

/** A host name as a browser sends it in Host, with or without a port. */
export const webHost = text({ expects: 'a host name with or without a port', pattern: /^[A-Za-z0-9._[\]:-]{1,259}$/ });

const CPU_LIST = /^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/;

/** The CPUs of one device in the kernel's notation: `0-3,8`. */
const cpuList = text({ expects: 'logical CPUs such as "0-3,8"', pattern: CPU_LIST });

/** CPU lists, one for each device; as text they are separated by ";" because "," belongs to the notation. */
export const cpuDevices: Format<readonly string[]> = (() => {
  const lists = list(cpuList, ';');
  const disjoint = (devices: readonly string[]): readonly string[] => {
    const all = devices.flatMap(expandCpuList);
    if (new Set(all).size < all.length) throw new FormatError('each logical CPU in one device only');
    return devices;
  };
  return {
    expects: lists.expects,
    check: (value) => disjoint(lists.check(value)),
    parse: (value) => disjoint(lists.parse(value)),
  };
})();

/** `"0-2,8"` as [0, 1, 2, 8]. @throws FormatError for a range that runs backwards */
export function expandCpuList(value: string): number[] {
  return value.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    if (last < first) throw new FormatError('ranges that run upwards', value);
    return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  });
}

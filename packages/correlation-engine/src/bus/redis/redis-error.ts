import { SentinelError } from '@sentinel/service-kit/errors';

/** The server as errors name it. */
export interface RedisPlace {
  /** host:port; never the password. */
  readonly where: string;
  readonly tls: boolean;
}

export function redisPlace(url: string): RedisPlace {
  const { hostname, port, protocol } = new URL(url);
  return { where: `${hostname}:${port === '' ? DEFAULT_PORT : port}`, tls: protocol === 'rediss:' };
}

const DEFAULT_PORT = '6379';

interface Finding {
  /** Waiting does not mend it: a setting or the server has to change. */
  readonly permanent: boolean;
  readonly key: 'url' | 'ca_file';
  readonly message: string;
  readonly hint: string;
}

const URL_KEY = 'correlation_engine.redis.url';
const CA_KEY = 'correlation_engine.redis.ca_file';

type Find = (place: RedisPlace, said: string) => Omit<Finding, 'permanent'>;

/** By what Redis or Node says, the first that fits: waiting does not mend these. */
const PERMANENT: readonly (readonly [RegExp, Find])[] = [
  [
    /^WRONGPASS/,
    ({ where }) => ({
      key: 'url',
      message: `Redis at ${where} refuses user and password`,
      hint: `Correct them in ${URL_KEY}, or in the file of its url_path.`,
    }),
  ],
  [
    /^NOAUTH/,
    ({ where }) => ({
      key: 'url',
      message: `Redis at ${where} wants a password`,
      hint: `Write it into ${URL_KEY}, or into the file of its url_path: redis://:PASSWORD@HOST:PORT.`,
    }),
  ],
  [
    /^NOPERM/,
    ({ where }) => ({
      key: 'url',
      message: `Redis at ${where} does not let this user do what is needed`,
      hint: `Allow EVAL, HGET, HSET, HDEL, HMGET, HSCAN, EXPIRE, PUBLISH and SUBSCRIBE below sentinel:, or name another user in ${URL_KEY}.`,
    }),
  ],
  [
    /^READONLY/,
    ({ where }) => ({
      key: 'url',
      message: `Redis at ${where} is a read-only copy`,
      hint: `Name the primary in ${URL_KEY}.`,
    }),
  ],
  [
    /^(?:OOM|MISCONF)/,
    ({ where }, said) => ({
      key: 'url',
      message: `Redis at ${where} takes no data (${said})`,
      hint: `Give it room, or name another in ${URL_KEY}.`,
    }),
  ],
  [
    /ERR_TLS_CERT_ALTNAME_INVALID/,
    ({ where }) => ({
      key: 'url',
      message: `the certificate of Redis at ${where} has another name`,
      hint: `Name the host in ${URL_KEY} as the certificate does.`,
    }),
  ],
  [
    /CERT|certificate|UNABLE_TO_/,
    ({ where }, said) => ({
      key: 'ca_file',
      message: `the certificate of Redis at ${where} is not of an authority that is trusted (${said})`,
      hint: `Name the authorities that signed it in ${CA_KEY}.`,
    }),
  ],
  [/EPROTO|wrong version number|packet length too long/i, noTls],
];

function noTls({ where }: RedisPlace): Omit<Finding, 'permanent'> {
  return {
    key: 'url',
    message: `Redis at ${where} does not answer over TLS`,
    hint: `If it has none, write redis:// in ${URL_KEY}; else look at the server.`,
  };
}

/** A server that has TLS alone hangs up on whoever comes without. */
const HANGS_UP = /ECONNRESET|EPIPE|the connection ended/;
const SILENT = /ETIMEDOUT|timed out/i;

/**
 * Any failure of Redis as a SentinelError that names the setting: UNAVAILABLE where the same may succeed later, FAILED_PRECONDITION where a
 * setting or the server has to change.
 */
export function redisError(cause: unknown, place: RedisPlace): SentinelError {
  const { permanent, key, message, hint } = find(textOf(cause), place);
  return new SentinelError({
    code: permanent ? 'FAILED_PRECONDITION' : 'UNAVAILABLE',
    reason: 'STORE_UNAVAILABLE',
    message,
    field: `correlation_engine.redis.${key}`,
    hint,
    cause,
  });
}

function find(said: string, place: RedisPlace): Finding {
  const permanent = PERMANENT.find(([pattern]) => pattern.test(said))?.[1];
  if (permanent !== undefined) return { permanent: true, ...permanent(place, said) };
  if (place.tls && SILENT.test(said)) return { permanent: false, ...noTls(place) };
  const tls = !place.tls && HANGS_UP.test(said) ? `, or write rediss:// in ${URL_KEY} if it wants TLS` : '';
  const hint = tls === '' ? `Start it, or correct ${URL_KEY}.` : `Look at the server${tls}.`;
  return { permanent: false, key: 'url', message: `Redis at ${place.where} does not answer (${said})`, hint };
}

function textOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'the connection ended';
  const { code, message } = cause as NodeJS.ErrnoException;
  // Neither the place in a script nor which of two calls failed is anything that an operator can change.
  const said = message
    .replace(/ script: .*$/s, '')
    .replace(/[.\s]+$/, '')
    .replace(/^(?:read|write|connect) (?=E[A-Z])/, '');
  return code === undefined || said.includes(code) ? said : `${said}: ${code}`;
}

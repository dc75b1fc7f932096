import { styleText } from 'node:util';
import { type DestinationStream, type Logger, pino, stdSerializers, stdTimeFunctions } from 'pino';

export type { Logger } from 'pino';

export interface LoggingOptions {
  readonly level: string;
  readonly format: 'json' | 'text';
  readonly output: 'stdout' | 'stderr';
}

/** Fields whose value never reaches a log, at any depth. A bare `key` is the name of a setting. */
const SECRET_FIELD =
  /(?:^|_)(?:token|password|secret|authorization|webhook_url)$|_keys?$|[a-z](?:Token|Password|Secret|Keys?)$/;
/** What everybody may know, though it is called a key. */
const PUBLIC_FIELD = /(?:^|_)(?:verifier|public)_keys?$|(?:^v|V)erifierKeys?$|(?:^p|P)ublicKeys?$/;
/** Credentials inside any text: `scheme://user:password@host`, `Bearer token`. */
const CREDENTIALS = /(:\/\/[^\s:/@"]*:)[^\s/@"]+(?=@)|(\bBearer )[^\s"\\]+/gi;
const CENSOR = '[secret]';
/** What lies deeper is left out: nobody reads it, and a cycle must end. */
const MAX_DEPTH = 6;

/**
 * One JSON object a line, or a line for people. Written synchronously and without a worker thread: a line is out before a crash.
 * A line costs 3-8 microseconds: log business facts and errors, never a probe result.
 */
export function createLogger(service: string, options: LoggingOptions): Logger {
  const stream = options.output === 'stderr' ? process.stderr : process.stdout;
  const destination: DestinationStream =
    options.format === 'json'
      ? pino.destination({ fd: stream.fd, sync: true })
      : { write: (line) => void stream.write(humanLine(line, stream)) };
  return pino(
    {
      base: { service },
      level: options.level,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withoutSecrets },
      serializers: { err: (error: Error) => withoutSecrets({ ...stdSerializers.err(error) }) },
      hooks: { streamWrite: (line) => line.replace(CREDENTIALS, `$1$2${CENSOR}`) },
    },
    destination,
  );
}

function withoutSecrets(fields: Record<string, unknown>, depth = 0): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      SECRET_FIELD.test(name) && !PUBLIC_FIELD.test(name) && value !== '' ? CENSOR : loggable(value, depth + 1),
    ]),
  );
}

function loggable(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || value instanceof Error || value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth > MAX_DEPTH) return '[…]';
  if (Array.isArray(value)) return value.map((item) => loggable(item, depth + 1));
  return withoutSecrets(value as Record<string, unknown>, depth);
}

const LEVEL_STYLE: Readonly<Record<string, Parameters<typeof styleText>[0]>> = {
  warn: 'yellow',
  error: 'red',
  fatal: ['red', 'bold'],
  debug: 'dim',
  trace: 'dim',
};

/** `07:31:02.114 warn  message  name=value …`; an error's stack follows on its own lines. */
function humanLine(line: string, stream: NodeJS.WriteStream): string {
  const { level, time, msg, service, err, ...rest } = JSON.parse(line) as Record<string, unknown> & {
    err?: { stack?: string };
  };
  const label = String(level).padEnd(5);
  const fields = Object.entries(rest).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const head = `${String(time).slice(11, 23)} ${styleText(LEVEL_STYLE[String(level)] ?? 'green', label, { stream })}`;
  const stack = err?.stack === undefined ? '' : `\n${err.stack}`;
  return `${[head, String(service), String(msg ?? ''), ...fields].join(' ')}${stack}\n`;
}

/** Logs nothing: for tests and tools. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}

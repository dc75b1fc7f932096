import type { ServiceError } from '@grpc/grpc-js';
import { ERROR_TRAILER, EXIT, exitStatus, SentinelError } from '@sentinel/service-kit/errors';
import { plainLines } from './views/index.js';

/** A file or flag that the command line needs is missing or wrong: exit status 78. */
export class ConfigurationError extends SentinelError {
  override readonly name = 'ConfigurationError';
}

/** What a command was asked for makes no sense: exit status 2. */
export function usageError(field: string, message: string, hint = ''): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', field, message, hint });
}

/** One sentence for a person and the exit status of the command. */
export interface Failure {
  readonly sentence: string;
  readonly status: number;
}

export function failureOf(thrown: unknown): Failure {
  const error = SentinelError.from(thrown);
  const sentence = plainLines(error.sentence);
  if (error instanceof ConfigurationError) return { sentence, status: EXIT.configuration };
  return { sentence, status: exitStatus(error) };
}

/**
 * A failed call to a service, with what to do about it. gRPC's own text about a connection that was refused names sockets and
 * retries; a person wants to know which service, where, and what now.
 */
export function explainCall(thrown: unknown, service: string, address: string): SentinelError {
  const error = SentinelError.from(thrown);
  if ((error.code !== 'UNAVAILABLE' && error.code !== 'DEADLINE_EXCEEDED') || isAnswer(error)) return error;
  const late = error.code === 'DEADLINE_EXCEEDED';
  return new SentinelError({
    code: error.code,
    message: `the ${service} at ${address} ${late ? 'did not answer in time' : `cannot be reached${because(error.message)}`}`,
    hint: late
      ? 'Look at its log, or try again.'
      : 'Start it with npm start, or say where it is with a flag (see --help).',
    cause: thrown,
  });
}

/** The service itself said it: then it says it better. */
function isAnswer({ cause }: SentinelError): boolean {
  const metadata = (cause as Partial<ServiceError> | undefined)?.metadata;
  return metadata === undefined || metadata.get(ERROR_TRAILER).length > 0;
}

const CAUSES: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, 'nothing listens there'],
  [/ENOTFOUND|EAI_AGAIN|Name resolution/i, 'no such host'],
  [/wrong version number/i, 'it speaks no TLS'],
  [/altnames/i, 'TLS: its certificate has another name: see --tls-server-name'],
  [/certificate|self.signed|SSL|TLS/i, 'TLS: its certificate is not of the authorities in --tls-ca'],
  [
    /Failed to connect|ECONNRESET|Connection dropped/i,
    'it hangs up: TLS on one side only, or not the certificate it wants?',
  ],
];

/** Why a connection failed, in words; '' = not known. */
export function because(text: string): string {
  const cause = CAUSES.find(([pattern]) => pattern.test(text))?.[1];
  return cause === undefined ? '' : ` (${cause})`;
}

import { Metadata, type ServiceError, status as Status } from '@grpc/grpc-js';
import { ErrorDetail, ErrorDetail_Reason as Reasons } from '@sentinel/contracts/sentinel/v1/errors.js';

/** gRPC status names that SENTINEL uses; the same words appear in HTTP answers. */
export type ErrorCode = Exclude<keyof typeof Status, 'OK'>;
/** Names of ErrorDetail.Reason. */
export type ErrorReason = Exclude<keyof typeof Reasons, 'UNRECOGNIZED'>;

/** Binary trailer with the encoded ErrorDetail. */
export const ERROR_TRAILER = 'sentinel-error-bin';

/** Exit statuses of every command (sysexits.h where it has one). */
export const EXIT = { ok: 0, negative: 1, usage: 2, unavailable: 69, denied: 77, configuration: 78 } as const;

export interface SentinelErrorInit {
  readonly code: ErrorCode;
  /** One sentence: what went wrong. Never contains a secret. */
  readonly message: string;
  readonly reason?: ErrorReason;
  /** Dotted path of the field or configuration key to blame. */
  readonly field?: string;
  /** When the same call may succeed; 0 = a retry does not help. */
  readonly retryAfterMs?: number;
  /** One sentence: what to do. */
  readonly hint?: string;
  readonly cause?: unknown;
}

const DEFAULT_REASON: Partial<Record<ErrorCode, ErrorReason>> = {
  INVALID_ARGUMENT: 'INVALID_FIELD',
  UNAUTHENTICATED: 'CREDENTIALS_INVALID',
  PERMISSION_DENIED: 'ROLE_NOT_ALLOWED',
  NOT_FOUND: 'NOT_FOUND',
  ALREADY_EXISTS: 'CONFLICT',
  RESOURCE_EXHAUSTED: 'OVERLOADED',
  UNAVAILABLE: 'STORE_UNAVAILABLE',
  DEADLINE_EXCEEDED: 'DEADLINE',
  INTERNAL: 'INTERNAL',
};

/** The one error type that crosses a boundary: gRPC, HTTP or a command's exit. */
export class SentinelError extends Error {
  readonly code: ErrorCode;
  readonly reason: ErrorReason;
  readonly field: string;
  readonly retryAfterMs: number;
  readonly hint: string;

  constructor(init: SentinelErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'SentinelError';
    this.code = init.code;
    this.reason = init.reason ?? DEFAULT_REASON[init.code] ?? 'UNSPECIFIED';
    this.field = init.field ?? '';
    this.retryAfterMs = init.retryAfterMs ?? 0;
    this.hint = init.hint ?? '';
  }

  /** Any thrown value as a SentinelError: itself, a gRPC call's failure with its trailer, or INTERNAL. */
  static from(thrown: unknown): SentinelError {
    if (thrown instanceof SentinelError) return thrown;
    if (isServiceError(thrown)) return fromServiceError(thrown);
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new SentinelError({ code: 'INTERNAL', message, cause: thrown });
  }

  /** `message Hint.` for a person. */
  get sentence(): string {
    return this.hint === '' ? this.message : `${this.message.replace(/[.\s]+$/, '')}. ${this.hint}`;
  }

  toDetail(): ErrorDetail {
    return { reason: Reasons[this.reason], field: this.field, retryAfterMs: this.retryAfterMs, hint: this.hint };
  }

  /** Body of a failed HTTP answer. */
  toJson(): {
    error: { code: string; message: string; reason: string; field: string; retryAfterMs: number; hint: string };
  } {
    const { code, message, reason, field, retryAfterMs, hint } = this;
    return { error: { code, message, reason, field, retryAfterMs, hint } };
  }

  /** What grpc-js takes as the error of a server call. */
  toServiceError(): Pick<ServiceError, 'name' | 'message' | 'code' | 'details' | 'metadata'> {
    const metadata = new Metadata();
    metadata.set(ERROR_TRAILER, Buffer.from(ErrorDetail.encode(this.toDetail()).finish()));
    return { name: this.name, message: this.message, code: Status[this.code], details: this.message, metadata };
  }
}

function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && typeof (thrown as ServiceError).code === 'number' && 'metadata' in thrown;
}

function fromServiceError(error: ServiceError): SentinelError {
  const detail = decodeTrailer(error);
  const code = Status[error.code] as ErrorCode;
  return new SentinelError({
    code,
    message: error.details === '' ? error.message : error.details,
    cause: error,
    ...(detail === null
      ? inferredReason(error)
      : {
          reason: reasonName(detail.reason),
          field: detail.field,
          retryAfterMs: detail.retryAfterMs,
          hint: detail.hint,
        }),
  });
}

/** grpc-js cuts off far too large messages itself, and can give no reason. */
function inferredReason({ code, details }: ServiceError): { reason?: ErrorReason } {
  const tooLarge = code === Status.RESOURCE_EXHAUSTED && /larger than/.test(details);
  return tooLarge ? { reason: 'TOO_LARGE' } : {};
}

function decodeTrailer(error: ServiceError): ErrorDetail | null {
  const [bytes] = error.metadata?.get(ERROR_TRAILER) ?? [];
  if (!Buffer.isBuffer(bytes)) return null;
  try {
    return ErrorDetail.decode(bytes);
  } catch {
    return null;
  }
}

function reasonName(value: number): ErrorReason {
  const name = Object.entries(Reasons).find(([, number]) => number === value)?.[0];
  return name === undefined || name === 'UNRECOGNIZED' ? 'UNSPECIFIED' : (name as ErrorReason);
}

const HTTP_STATUS: Partial<Record<ErrorCode, number>> = {
  INVALID_ARGUMENT: 400,
  OUT_OF_RANGE: 400,
  FAILED_PRECONDITION: 412,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

export function httpStatus(code: ErrorCode): number {
  return HTTP_STATUS[code] ?? 500;
}

const EXIT_STATUS: Partial<Record<ErrorCode, number>> = {
  INVALID_ARGUMENT: EXIT.usage,
  NOT_FOUND: EXIT.negative,
  ALREADY_EXISTS: EXIT.negative,
  FAILED_PRECONDITION: EXIT.negative,
  UNAVAILABLE: EXIT.unavailable,
  DEADLINE_EXCEEDED: EXIT.unavailable,
  RESOURCE_EXHAUSTED: EXIT.unavailable,
  UNAUTHENTICATED: EXIT.denied,
  PERMISSION_DENIED: EXIT.denied,
};

/** Exit status of a command that ended with this error. */
export function exitStatus(error: SentinelError): number {
  return EXIT_STATUS[error.code] ?? EXIT.unavailable;
}

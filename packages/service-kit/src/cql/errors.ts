import { errors, types } from 'cassandra-driver';
import { SentinelError } from '../errors.js';

const { responseErrorCodes: CODES } = types;
/** Answers after which the same statement may succeed later. */
const PASSING: ReadonlySet<number> = new Set([
  CODES.overloaded,
  CODES.isBootstrapping,
  CODES.writeTimeout,
  CODES.readTimeout,
  CODES.writeFailure,
  CODES.readFailure,
  CODES.serverError,
]);

/**
 * Any failure of the cluster as a SentinelError: UNAVAILABLE where the same may succeed later, FAILED_PRECONDITION where the settings below
 * `section`.scylla or the cluster have to change.
 */
export function cqlError(failure: unknown, section: string): SentinelError {
  if (failure instanceof SentinelError) return failure;
  const thrown = innermost(failure);
  const make = (code: 'UNAVAILABLE' | 'FAILED_PRECONDITION', key: string, message: string, hint: string) =>
    new SentinelError({ code, message, field: `${section}.scylla.${key}`, hint, cause: thrown });
  if (thrown instanceof errors.AuthenticationError)
    return make(
      'FAILED_PRECONDITION',
      'username',
      `the cluster refuses the user (${thrown.message})`,
      'Correct username and password.',
    );
  const said = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof errors.ArgumentError && said.includes('localDataCenter'))
    return make(
      'FAILED_PRECONDITION',
      'local_datacenter',
      said,
      'Name the data centre as the cluster does: nodetool status shows it.',
    );
  if (!(thrown instanceof errors.ResponseError))
    return make('UNAVAILABLE', 'contact_points', `the cluster is away (${said})`, 'It is tried again.');
  if (thrown.code === CODES.unavailableException)
    return make(
      'UNAVAILABLE',
      'replication_factor',
      `too few nodes are up for the consistency asked for (${said})`,
      'It is tried again. A keyspace that was made with more copies than there are nodes never succeeds: ALTER KEYSPACE to as many as there are nodes.',
    );
  if (PASSING.has(thrown.code)) return make('UNAVAILABLE', 'contact_points', said, 'It is tried again.');
  if (thrown.code === CODES.unauthorized)
    return make('FAILED_PRECONDITION', 'username', said, 'Grant the user CREATE, SELECT and MODIFY on the keyspace.');
  return make(
    'FAILED_PRECONDITION',
    'keyspace',
    said,
    'The keyspace may belong to another version: migrate status compares.',
  );
}

/** Whether a keyspace or table of that name is not there. */
export function isMissing(failure: unknown, name: string): boolean {
  const thrown = innermost(failure);
  const { invalid } = CODES;
  return (
    thrown instanceof errors.ResponseError && thrown.code === invalid && thrown.message.includes(name.toLowerCase())
  );
}

/** Whether a node failed within, as it does for a table that another instance is making: it is known before it can be read. */
export function isUnready(failure: unknown): boolean {
  const thrown = innermost(failure);
  return (
    thrown instanceof errors.ResponseError && (thrown.code === CODES.serverError || thrown.code === CODES.readFailure)
  );
}

/** What a node said, where the driver tells that no node would do; the driver's own failure otherwise. */
function innermost(failure: unknown): unknown {
  if (!(failure instanceof errors.NoHostAvailableError)) return failure;
  const said: unknown[] = Object.values((failure.innerErrors as object | undefined) ?? {});
  const telling = [errors.AuthenticationError, errors.ArgumentError, errors.ResponseError, Error];
  const found = telling.flatMap((kind) => said.filter((each) => each instanceof kind));
  return found[0] ?? failure;
}

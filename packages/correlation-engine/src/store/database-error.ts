import { SentinelError } from '@sentinel/service-kit/errors';
import pg from 'pg';

/** The database as errors name it. */
export interface Place {
  /** host:port, or the folder of an embedded one. */
  readonly where: string;
  readonly host: string;
  readonly role: string;
  readonly database: string;
  readonly connectTimeoutMs: number;
}

interface Finding {
  /** Below correlation_engine.database. */
  readonly key: string;
  readonly message: string;
  readonly hint: string;
}

type Find = (place: Place, said: string) => Finding;

const AGAIN = 'It is tried again.';

/** By SQLSTATE: waiting does not mend these. */
const PERMANENT: Readonly<Record<string, Find>> = {
  '28P01': ({ where, role }) => ({
    key: 'postgres_url',
    message: `the database at ${where} refuses the password of ${role}`,
    hint: 'Correct role and password.',
  }),
  '28000': notAdmitted,
  '3D000': ({ where, database }) => ({
    key: 'postgres_url',
    message: `there is no database ${database} at ${where}`,
    hint: 'Correct its name, or make it: create database.',
  }),
  '3F000': lacksRight,
  '42501': lacksRight,
};

/** By SQLSTATE or its class: the server is there, and what it refuses now it may take later. */
const PASSING: Readonly<Record<string, Find>> = {
  '25006': ({ where }) => ({
    key: 'postgres_url',
    message: `the database at ${where} is read-only`,
    hint: `It may be a standby: name the primary. ${AGAIN}`,
  }),
  '25P03': lost,
  '53100': ({ where }) => ({
    key: 'postgres_url',
    message: `the disk of the database at ${where} is full`,
    hint: `Make room there: nothing is acknowledged meanwhile. ${AGAIN}`,
  }),
  '53300': ({ where }, said) => ({
    key: 'max_connections',
    message: `the database at ${where} has no connection left (${said})`,
    hint: `Allow more on the server or for the role, or fewer for each engine. ${AGAIN}`,
  }),
  '55P03': tooSlow,
  '57014': tooSlow,
  '57P03': ({ where }, said) => ({
    key: 'postgres_url',
    message: `the database at ${where} is not ready (${said})`,
    hint: AGAIN,
  }),
  '08': lost,
  '40': lost,
  '53': lost,
  '57': lost,
  '58': lost,
};

/** What Node says of a certificate, besides codes that begin with CERT_. */
const CERTIFICATE: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/**
 * Any failure of the database as a SentinelError: UNAVAILABLE where the same may succeed later, FAILED_PRECONDITION where the settings below
 * correlation_engine.database or the server have to change, INTERNAL where it is neither.
 */
export function databaseError(failure: unknown, place: Place): SentinelError {
  if (failure instanceof SentinelError) return failure;
  const said = failure instanceof Error ? failure.message : String(failure);
  const make = (code: 'UNAVAILABLE' | 'FAILED_PRECONDITION', { key, message, hint }: Finding): SentinelError =>
    new SentinelError({ code, message, field: `correlation_engine.database.${key}`, hint, cause: failure });
  if (failure instanceof pg.DatabaseError) {
    const state = failure.code ?? '';
    const permanent = PERMANENT[state];
    if (permanent !== undefined) return make('FAILED_PRECONDITION', permanent(place, said));
    const passing = PASSING[state] ?? PASSING[state.slice(0, 2)];
    return passing === undefined ? SentinelError.from(failure) : make('UNAVAILABLE', passing(place, said));
  }
  const refused = connectionRefused(codeOf(failure), said, place);
  if (refused !== null) return make('FAILED_PRECONDITION', refused);
  const away = connectionLost(codeOf(failure), said, place);
  return away === null ? SentinelError.from(failure) : make('UNAVAILABLE', away);
}

function codeOf(failure: unknown): string {
  const { code } = (failure ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** What keeps a connection from being made until a setting changes. */
function connectionRefused(code: string, said: string, { where, host }: Place): Finding | null {
  if (said.includes('does not support SSL'))
    return {
      key: 'sslmode',
      message: `the database at ${where} has no TLS`,
      hint: 'Switch it on there, or set sslmode to disable where everybody on the network between may read the evidence.',
    };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return {
      key: 'postgres_url',
      message: `the certificate of the database at ${where} does not match the name ${host}`,
      hint: 'Use a name of the certificate, or set sslmode to verify-ca.',
    };
  if (code.startsWith('CERT_') || CERTIFICATE.has(code))
    return {
      key: 'ca_file',
      message: `the certificate of the database at ${where} is not to be trusted (${said})`,
      hint: 'Name the authority that issued it in ca_file, or renew it.',
    };
  if (said.startsWith('SASL:'))
    return {
      key: 'postgres_url',
      message: `the database at ${where} asks for a password (${said})`,
      hint: 'Put role and password in, or name their file with postgres_url_path.',
    };
  return null;
}

const UNREACHABLE = /^E(?:CONNREFUSED|HOSTUNREACH|NETUNREACH|HOSTDOWN|NOENT|ACCES)$/;
const CUT = /^E(?:CONNRESET|CONNABORTED|PIPE|TIMEDOUT|PROTO)$/;

function connectionLost(code: string, said: string, { where, host, connectTimeoutMs }: Place): Finding | null {
  const key = 'postgres_url';
  if (UNREACHABLE.test(code))
    return { key, message: `no database answers at ${where} (${code})`, hint: `Check that it runs there. ${AGAIN}` };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return { key, message: `the name ${host} of the database is not known (${code})`, hint: `Check it. ${AGAIN}` };
  if (said === 'timeout expired' || said.startsWith('Connection terminated due to connection timeout'))
    return {
      key: 'connect_timeout_ms',
      message: `the database at ${where} did not answer within ${connectTimeoutMs} ms`,
      hint: `Check network and server. ${AGAIN}`,
    };
  const cut =
    CUT.test(code) ||
    /^Connection terminated|^Client (?:was closed|has encountered)|timeout exceeded|read timeout$|error establishing an SSL/.test(
      said,
    );
  return cut ? lost({ where }, said) : null;
}

function lost({ where }: Pick<Place, 'where'>, said: string): Finding {
  return { key: 'postgres_url', message: `the database at ${where} gave up (${said})`, hint: AGAIN };
}

function tooSlow({ where }: Place, said: string): Finding {
  return {
    key: 'postgres_url',
    message: `the database at ${where} took too long (${said})`,
    hint: `Look for locks and a slow disk there. ${AGAIN}`,
  };
}

function notAdmitted({ where, role }: Place, said: string): Finding {
  const plaintext = said.includes('no encryption');
  return {
    key: plaintext ? 'sslmode' : 'postgres_url',
    message: `the database at ${where} does not let ${role} in (${said})`,
    hint: plaintext
      ? 'It may take connections over TLS alone: set sslmode to verify-full. Otherwise allow this host in its pg_hba.conf.'
      : 'Correct the role, or allow it in the pg_hba.conf of the server.',
  };
}

function lacksRight({ role, database }: Place, said: string): Finding {
  return {
    key: 'postgres_url',
    message: `the role ${role} lacks a right in the database ${database} (${said})`,
    hint: 'Make it the owner of the database: alter database … owner to …',
  };
}

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SentinelError } from '@sentinel/service-kit/errors';
import pg from 'pg';
import { databaseError } from './database-error.js';

const PLACE = {
  where: 'db.example:5433',
  host: 'db.example',
  role: 'sentinel',
  database: 'evidence',
  connectTimeoutMs: 5000,
};

function said(message: string, code?: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

function state(code: string, message = 'as the server puts it'): Error {
  return Object.assign(new pg.DatabaseError(message, 1, 'error'), { code });
}

type Case = readonly [what: string, failure: Error, field: string, words: RegExp];

const PERMANENT: readonly Case[] = [
  ['a wrong password', state('28P01'), 'postgres_url', /refuses the password of sentinel/],
  ['a role that may not log in', state('28000'), 'postgres_url', /does not let sentinel in .*pg_hba/],
  [
    'plaintext where TLS is demanded',
    state('28000', 'no pg_hba.conf entry for host "::1", no encryption'),
    'sslmode',
    /verify-full/,
  ],
  ['no such database', state('3D000'), 'postgres_url', /no database evidence at db\.example:5433/],
  [
    'a right that is missing',
    state('42501', 'permission denied for schema public'),
    'postgres_url',
    /lacks a right in the database evidence/,
  ],
  ['no schema to make tables in', state('3F000'), 'postgres_url', /lacks a right/],
  ['no TLS', said('The server does not support SSL connections'), 'sslmode', /db\.example:5433 has no TLS/],
  [
    'a certificate of somebody else',
    said('Hostname does not match', 'ERR_TLS_CERT_ALTNAME_INVALID'),
    'postgres_url',
    /does not match the name db\.example/,
  ],
  [
    'an unknown authority',
    said('self-signed certificate', 'SELF_SIGNED_CERT_IN_CHAIN'),
    'ca_file',
    /not to be trusted \(self-signed/,
  ],
  ['a certificate of before', said('certificate has expired', 'CERT_HAS_EXPIRED'), 'ca_file', /or renew it/],
  [
    'no password',
    said('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'),
    'postgres_url',
    /asks for a password/,
  ],
];

const PASSING: readonly Case[] = [
  [
    'nobody listens',
    said('', 'ECONNREFUSED'),
    'postgres_url',
    /no database answers at db\.example:5433 \(ECONNREFUSED\)/,
  ],
  ['a name that is not known', said('', 'ENOTFOUND'), 'postgres_url', /the name db\.example of the database/],
  ['no answer', said('timeout expired'), 'connect_timeout_ms', /did not answer within 5000 ms/],
  ['a cut line', said('read ECONNRESET', 'ECONNRESET'), 'postgres_url', /gave up/],
  ['no connection left for TLS', said('There was an error establishing an SSL connection'), 'postgres_url', /gave up/],
  ['an end without a word', said('Connection terminated unexpectedly'), 'postgres_url', /gave up/],
  [
    'a server that starts',
    state('57P03', 'the database system is starting up'),
    'postgres_url',
    /not ready \(the database system is starting up\)/,
  ],
  ['a terminated backend', state('57P01'), 'postgres_url', /gave up/],
  ['no connection left', state('53300'), 'max_connections', /no connection left/],
  ['a full disk', state('53100'), 'postgres_url', /disk of the database at db\.example:5433 is full/],
  ['a standby', state('25006'), 'postgres_url', /read-only/],
  ['a statement that takes too long', state('57014'), 'postgres_url', /took too long/],
  ['a lock that is not given', state('55P03'), 'postgres_url', /took too long/],
  ['a transaction that stood still', state('25P03'), 'postgres_url', /gave up/],
  ['a deadlock', state('40P01'), 'postgres_url', /gave up/],
];

describe('failures of the database', () => {
  for (const [code, cases] of [
    ['FAILED_PRECONDITION', PERMANENT],
    ['UNAVAILABLE', PASSING],
  ] as const)
    for (const [what, failure, field, words] of cases)
      test(`${what} is ${code}, with the setting to change`, () => {
        const error = databaseError(failure, PLACE);
        assert.equal(error.code, code);
        assert.equal(error.field, `correlation_engine.database.${field}`);
        assert.match(error.sentence, words);
        assert.equal(error.sentence.includes('It is tried again'), code === 'UNAVAILABLE');
      });

  test('what is neither stays what it was', () => {
    assert.equal(databaseError(new TypeError('x is undefined'), PLACE).code, 'INTERNAL');
    assert.equal(databaseError(state('42P01'), PLACE).code, 'INTERNAL');
    const known = new SentinelError({ code: 'ABORTED', message: 'known' });
    assert.equal(databaseError(known, PLACE), known);
  });
});

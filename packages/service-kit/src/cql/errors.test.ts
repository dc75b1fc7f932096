import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors, types } from 'cassandra-driver';
import { cqlError } from './errors.js';

const told = (thrown: unknown): string => {
  const { code, field } = cqlError(thrown, 's');
  return `${code} ${field}`;
};
const answered = (code: number): Error => new errors.ResponseError(code, 'said');
const { responseErrorCodes: CODES } = types;

test('what passes by itself is UNAVAILABLE, what has to be changed names its key', () => {
  assert.equal(told(new Error('connect ECONNREFUSED')), 'UNAVAILABLE s.scylla.contact_points');
  assert.equal(told(answered(CODES.writeTimeout)), 'UNAVAILABLE s.scylla.contact_points');
  assert.equal(told(answered(CODES.unavailableException)), 'UNAVAILABLE s.scylla.replication_factor');
  assert.equal(told(answered(CODES.unauthorized)), 'FAILED_PRECONDITION s.scylla.username');
  assert.equal(told(answered(CODES.invalid)), 'FAILED_PRECONDITION s.scylla.keyspace');
});

test('of many nodes the most telling answer counts', () => {
  const nobody = new errors.NoHostAvailableError({
    a: new Error('connect ECONNREFUSED'),
    b: new errors.AuthenticationError('bad password'),
  });
  assert.equal(told(nobody), 'FAILED_PRECONDITION s.scylla.username');
  assert.match(cqlError(nobody, 's').message, /bad password/);
  assert.equal(told(new errors.NoHostAvailableError({})), 'UNAVAILABLE s.scylla.contact_points');
});

test('an error that was told before stays as it is', () => {
  const first = cqlError(new Error('x'), 's');
  assert.equal(cqlError(first, 't'), first);
});

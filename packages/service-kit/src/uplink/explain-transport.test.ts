import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SentinelError } from '../errors.js';
import { explainTransport } from './explain-transport.js';

const explained = (code: SentinelError['code'], message: string) =>
  explainTransport(new SentinelError({ code, message }), {
    ...{ endpoint: 'e:1', section: 'probe_agent', meanwhile: 'results wait in the spool' },
  });

test('a connection that ended says what to look at', () => {
  assert.match(explained('UNAVAILABLE', 'self-signed certificate'), /no TLS .*check probe_agent\.tls\.ca_file/);
  assert.match(
    explained('UNAVAILABLE', 'No connection established. Last error: Failed to connect (2026).'),
    /hangs up: check that probe_agent\.tls\.cert_file .*; results wait in the spool$/,
  );
  assert.match(explained('UNAVAILABLE', 'ECONNREFUSED'), /does not answer \(ECONNREFUSED\): results wait in the spool/);
  assert.match(explained('INTERNAL', 'odd'), /ended the connection with INTERNAL: odd/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SentinelError } from '@sentinel/service-kit/errors';
import { explainUplinkError } from './explain.js';

const explained = (code: SentinelError['code'], message: string, reason?: SentinelError['reason']) =>
  explainUplinkError(
    new SentinelError({ code, message, ...(reason === undefined ? {} : { reason }) }),
    'e:1',
    'training_monitor',
  );

test('each refusal says what to do', () => {
  assert.match(explained('PERMISSION_DENIED', 'no', 'TEST_BUILD_REFUSED'), /allow_test_builds/);
  assert.match(explained('PERMISSION_DENIED', 'no', 'NODE_MISMATCH'), /training_monitor\.node_name/);
  assert.match(explained('UNAUTHENTICATED', 'no', 'CREDENTIALS_MISSING'), /service_token_path/);
  assert.match(explained('FAILED_PRECONDITION', 'no', 'HELLO_REQUIRED'), /start the probe agent of this node/);
  assert.match(explained('UNAVAILABLE', 'self-signed certificate'), /training_monitor\.tls\.ca_file/);
  assert.match(explained('UNAVAILABLE', 'ECONNREFUSED'), /wait in the spool/);
});

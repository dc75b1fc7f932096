import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unavailableLog } from './unavailable-log.js';

test('that the server is away is said with its reason, once a minute', () => {
  const said: string[] = [];
  let now = 0;
  const log = unavailableLog('http://127.0.0.1:8000', { say: (text) => said.push(text), nowMs: () => now });
  for (; now < 120_000; now += 30_000) log(Object.assign(new Error(''), { code: 'ECONNREFUSED' }));
  log(Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }));
  const start = 'the inference server at http://127.0.0.1:8000 cannot be reached: ';
  assert.deepEqual(said, [
    `${start}ECONNREFUSED`,
    `${start}ECONNREFUSED`,
    `${start}self-signed certificate. Name a file with its authority in the variable NODE_EXTRA_CA_CERTS`,
  ]);
});

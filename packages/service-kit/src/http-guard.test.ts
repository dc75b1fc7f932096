import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkWebCaller } from './http-guard.js';

const OPTIONS = {
  section: 'correlation_engine',
  allowedOrigins: ['https://ops.example'],
  allowedHosts: ['engine.example', 'other.example:8080'],
};
const good = [
  { host: '127.0.0.1:8080' },
  { host: 'localhost:8080', origin: 'http://localhost:8080' },
  { host: '[::1]:8080' },
  { host: 'engine.example:8080' },
  { host: 'OTHER.example:8080' },
  { host: '10.0.0.7:8080', origin: 'https://ops.example' },
];
const bad = [
  { host: 'rebound.example:8080' },
  { host: 'other.example:9' },
  {},
  { host: 'localhost:8080', origin: 'http://evil.example' },
  { host: 'localhost:8080', origin: 'http://localhost:3000' },
  { host: 'localhost:8080', origin: 'null' },
];

it('lets in addresses, localhost and configured names, and pages of ours alone', () => {
  for (const headers of good) assert.doesNotThrow(() => checkWebCaller(headers, OPTIONS), JSON.stringify(headers));
  for (const headers of bad)
    assert.throws(() => checkWebCaller(headers, OPTIONS), { code: 'PERMISSION_DENIED' }, JSON.stringify(headers));
});

it('names the key that would let the caller in', () => {
  const refused = { field: 'Host', hint: /correlation_engine\.http\.allowed_hosts/ };
  assert.throws(() => checkWebCaller({ host: 'rebound.example' }, OPTIONS), refused);
});

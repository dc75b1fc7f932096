import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Identity } from './auth.js';
import { type CarriedCaller, carriedConnection, decodeCaller, encodeCaller, isCarried } from './carried-caller.js';

const identity: Identity = { role: 'agent', node: 'gpu-7', via: 'certificate', subject: 'probe-agent' };
const connection = carriedConnection('engine-1', '10.0.0.1:4000>10.0.0.2:50051');

test('what one replica says of a caller, the other reads', () => {
  assert.deepEqual(decodeCaller(encodeCaller({ identity, connection })), { identity, connection });
  assert.ok(isCarried(connection));
  assert.ok(!isCarried('10.0.0.1:4000>10.0.0.2:50051'));
});

test('nothing is read into what is not whole', () => {
  const said = (caller: unknown) => decodeCaller(encodeCaller(caller as CarriedCaller));
  const broken: unknown[] = [
    null,
    {},
    { identity },
    { connection },
    { identity, connection: '10.0.0.1:4000>10.0.0.2:50051' },
    { identity: { ...identity, role: 'root' }, connection },
    { identity: { ...identity, role: 'toString' }, connection },
    { identity: { ...identity, via: 'hearsay' }, connection },
    { identity: { ...identity, node: 7 }, connection },
    { identity: { ...identity, subject: undefined }, connection },
  ];
  for (const each of broken) assert.equal(said(each), null, JSON.stringify(each));
  assert.equal(decodeCaller(Buffer.from('{')), null);
});

import assert from 'node:assert/strict';
import { createSecretKey, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { batchMac, deriveAgentKey, helloMac, KeyRing, macEquals } from './mac.js';

const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
const key = bytes.map((value) => createSecretKey(value));
const spoolId = fc.uint8Array({ minLength: 16, maxLength: 16 });
const batch = fc.record({
  node: fc.string({ unit: 'grapheme', maxLength: 40 }),
  spoolId,
  sequence: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  payload: fc.uint8Array({ maxLength: 200 }),
});
const macOf = (
  agentKey: KeyObject,
  { node, spoolId, sequence, payload }: typeof batch extends fc.Arbitrary<infer T> ? T : never,
): string => batchMac(agentKey, { node, spoolId, sequence }, payload).toString('hex');

test('two batches have the same MAC only if they are the same, however their fields are cut', () => {
  fc.assert(
    fc.property(key, batch, batch, (agentKey, a, b) => {
      const same =
        JSON.stringify([a.node, ...a.spoolId, String(a.sequence), ...a.payload]) ===
        JSON.stringify([b.node, ...b.spoolId, String(b.sequence), ...b.payload]);
      assert.equal(macOf(agentKey, a) === macOf(agentKey, b), same);
    }),
  );
  // What one field ends with, the next one begins with.
  const zeros = new Uint8Array(16);
  const agentKey = createSecretKey(new Uint8Array(32));
  const shifted = { node: 'ab', spoolId: zeros, sequence: 0n, payload: Buffer.from('c') };
  assert.notEqual(macOf(agentKey, shifted), macOf(agentKey, { ...shifted, node: 'a', payload: Buffer.from('bc') }));
});

test('a hello answers one nonce, and never passes for a batch', () => {
  fc.assert(
    fc.property(key, spoolId, bytes, bytes, (agentKey, id, nonce, other) => {
      const answer = (challenge: Uint8Array): string =>
        helloMac(agentKey, 'n', id, challenge, Buffer.from('hello')).toString('hex');
      if (!macEquals(nonce, other)) assert.notEqual(answer(nonce), answer(other));
      assert.notEqual(answer(nonce), macOf(agentKey, { node: 'n', spoolId: id, sequence: 0n, payload: nonce }));
    }),
  );
});

test('each node has a key of its own, and a name that is too long is refused', () => {
  const fleetKey = Buffer.alloc(32, 1);
  assert.notDeepEqual(deriveAgentKey(fleetKey, 'a'), deriveAgentKey(fleetKey, 'b'));
  const header = { node: 'n'.repeat(0x1_0000), spoolId: new Uint8Array(16), sequence: 1n };
  assert.throws(() => batchMac(deriveAgentKey(fleetKey, 'a'), header, new Uint8Array()), RangeError);
});

test('a MAC of another length is not equal', () => {
  const mac = Buffer.alloc(32, 7);
  assert.ok(macEquals(mac, Buffer.from(mac)));
  assert.ok(!macEquals(mac, mac.subarray(1)));
  assert.ok(!macEquals(mac, Buffer.alloc(32)));
  assert.ok(!macEquals(mac, Buffer.alloc(0)));
});

test('a key ring knows its key ids, and forgets derived keys only to derive them again', () => {
  const fleetKeys = new Map([
    ['old', Buffer.alloc(32, 1)],
    ['new', Buffer.alloc(32, 2)],
  ]);
  const ring = new KeyRing(fleetKeys);
  assert.ok(!ring.empty && new KeyRing(new Map()).empty);
  assert.equal(ring.agentKey('other', 'a'), null);
  assert.deepEqual(ring.agentKey('old', 'a'), deriveAgentKey(Buffer.alloc(32, 1), 'a'));
  assert.equal(ring.agentKey('new', 'a'), ring.agentKey('new', 'a'));
  const first = ring.agentKey('old', 'n0');
  for (let i = 1; i <= 20_000; i += 1) ring.agentKey('old', `n${i}`);
  const again = ring.agentKey('old', 'n0');
  assert.deepEqual(again, first);
  assert.notEqual(again, first);
});

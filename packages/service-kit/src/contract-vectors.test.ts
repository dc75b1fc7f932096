import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSecretKey } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Hello } from '@sentinel/contracts/sentinel/v1/control.js';
import { ErrorDetail } from '@sentinel/contracts/sentinel/v1/errors.js';
import { StreamProbeResultsRequest, UplinkPayload } from '@sentinel/contracts/sentinel/v1/probe.js';
import { temporaryFolder } from '@sentinel/test-kit';
import { batchMac, deriveAgentKey, helloMac } from './mac.js';
import { plainMessage } from './testing/plain-message.js';

const FOLDER = fileURLToPath(new URL('.', import.meta.resolve('@sentinel/contracts/vectors/messages.json')));
const CHECKER = fileURLToPath(new URL('../../../tests/interop/check_contract_vectors.py', import.meta.url));
const PROTO = fileURLToPath(new URL('../../../proto/sentinel/v1', import.meta.url));

interface KeyVector {
  readonly fleet_key: string;
  readonly node: string;
  readonly agent_key: string;
}
interface BatchVector {
  readonly agent_key: string;
  readonly node: string;
  readonly spool_id: string;
  readonly sequence: string;
  readonly payload: string;
  readonly mac: string;
  /** The encoded StreamProbeResultsRequest that carries it. */
  readonly envelope: string;
}
interface HelloVector {
  readonly agent_key: string;
  readonly node: string;
  readonly spool_id: string;
  readonly nonce: string;
  readonly hello: string;
  readonly mac: string;
}
interface MessageVector {
  readonly name: string;
  readonly message: keyof typeof CODECS;
  readonly fields: unknown;
  readonly encoded: string;
  /** An encoding that readers must take and writers do not make. */
  readonly read_only?: boolean;
}

const CODECS = { StreamProbeResultsRequest, UplinkPayload, Hello, ErrorDetail };

const vectorsOf = <T>(name: string): readonly T[] =>
  (JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as { vectors: T[] }).vectors;
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');

test('agent keys', () => {
  for (const { fleet_key, node, agent_key } of vectorsOf<KeyVector>('agent-keys.json')) {
    assert.equal(hex(deriveAgentKey(bytes(fleet_key), node).export()), agent_key, node);
  }
});

test('MAC and encoding of batches', () => {
  for (const vector of vectorsOf<BatchVector>('batch-macs.json')) {
    const { node, sequence } = vector;
    const spoolId = bytes(vector.spool_id);
    const payload = bytes(vector.payload);
    const mac = batchMac(
      createSecretKey(bytes(vector.agent_key)),
      { node, spoolId, sequence: BigInt(sequence) },
      payload,
    );
    assert.equal(hex(mac), vector.mac, node);
    const { keyId, ...rest } = StreamProbeResultsRequest.decode(bytes(vector.envelope));
    assert.deepEqual(plainMessage(rest), plainMessage({ node, spoolId, sequence: BigInt(sequence), payload, mac }));
  }
});

test('MAC of hellos', () => {
  for (const vector of vectorsOf<HelloVector>('hello-macs.json')) {
    const { agent_key, node, spool_id, nonce, hello } = vector;
    assert.equal(
      hex(helloMac(createSecretKey(bytes(agent_key)), node, bytes(spool_id), bytes(nonce), bytes(hello))),
      vector.mac,
      node,
    );
  }
});

test('messages, both ways', () => {
  for (const { name, message, fields, encoded, read_only } of vectorsOf<MessageVector>('messages.json')) {
    const codec = CODECS[message];
    const decoded = codec.decode(bytes(encoded));
    assert.deepEqual(plainMessage(decoded), fields, name);
    if (read_only) continue;
    const again = (codec.encode as (value: unknown) => { finish(): Uint8Array })(decoded).finish();
    assert.equal(hex(again), encoded, name);
  }
});

const check = (folder: string) => spawnSync('python3', [CHECKER, folder, PROTO], { encoding: 'utf8' });

test('an independent program in Python finds the same', () => {
  const { status, stdout, stderr } = check(FOLDER);
  assert.equal(status, 0, stdout + stderr);
  const total = readdirSync(FOLDER).reduce((sum, name) => sum + vectorsOf(name).length, 0);
  assert.match(stdout, new RegExp(`^${total} vectors`, 'm'));
});

test('and would notice one wrong digit in any value', async () => {
  const changed: [file: string, field: string][] = [
    ['agent-keys.json', 'agent_key'],
    ['batch-macs.json', 'mac'],
    ['batch-macs.json', 'payload'],
    ['batch-macs.json', 'envelope'],
    ['hello-macs.json', 'nonce'],
    ['messages.json', 'encoded'],
  ];
  for (const [file, field] of changed) {
    await using folder = await temporaryFolder();
    cpSync(FOLDER, folder.path, { recursive: true });
    const text = readFileSync(join(FOLDER, file), 'utf8');
    // The last digit of its first value.
    const spoilt = text.replace(new RegExp(`("${field}": "[0-9a-f]+)([0-9a-f])"`), (_, before, digit) => {
      return `${before}${(Number.parseInt(digit, 16) ^ 1).toString(16)}"`;
    });
    assert.ok(spoilt !== text);
    writeFileSync(folder.join(file), spoilt);
    assert.equal(check(folder.path).status, 1, `${file} ${field}`);
  }
});

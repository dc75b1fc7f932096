import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { WriterProcess } from '../testing/writer-process.js';

describe('verify --attest', () => {
  it('writes a statement that others verify with DSSE and Ed25519 alone, and no forgery passes', async () => {
    await using writer = new WriterProcess();
    const configFile = join(writer.folder, 'sentinel.yaml');
    const config = JSON.parse(readFileSync(configFile, 'utf8')) as { audit_ledger: { [key: string]: unknown } };
    config.audit_ledger['attestation_signing_key_path'] = join(writer.folder, 'attestation.key');
    writeFileSync(configFile, JSON.stringify(config));
    const made = await writer.run('keygen', '--attestation');
    assert.equal(made.code, 0, made.output);
    await writer.start();
    await writer.signal('SIGTERM');
    const pem = made.output.slice(made.output.indexOf('-----BEGIN'));

    const file = join(writer.folder, 'attestation.json');
    const { code, output } = await writer.run('verify', '--full', '--attest', '--output', file);
    assert.equal(code, 0, output);
    const envelope = JSON.parse(readFileSync(file, 'utf8')) as {
      payloadType: string;
      payload: string;
      signatures: { sig: string }[];
    };
    const payload = Buffer.from(envelope.payload, 'base64');
    const { payloadType } = envelope;
    const message = Buffer.concat([
      Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `),
      payload,
    ]);
    const signature = Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64');
    assert.ok(verify(null, message, createPublicKey(pem), signature));
    const statement = JSON.parse(payload.toString()) as { predicate: { result: string; verified: object } };
    assert.equal(statement.predicate.result, 'PASSED');

    const valid = await writer.run('verify-attestation', file);
    assert.equal(valid.code, 0, valid.output);
    assert.match(valid.output, /^valid: the log verified/);
    const forged = payload.toString().replace('"first":0', '"first":1');
    assert.notEqual(forged, payload.toString());
    writeFileSync(file, JSON.stringify({ ...envelope, payload: Buffer.from(forged).toString('base64') }));
    const invalid = await writer.run('verify-attestation', file);
    assert.equal(invalid.code, 1);
    assert.match(invalid.output, /does not verify/);
  });
});

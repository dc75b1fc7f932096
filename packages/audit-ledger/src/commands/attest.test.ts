import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { generateSigningKeyText, parseSigningKey } from '../note/keys.js';
import { evidenceOf, logOfSize } from '../testing/exports.js';
import { TEST_KEY } from '../testing/ledgers.js';
import { verdictsOf } from '../testing/offline.js';
import { WriterProcess } from '../testing/writer-process.js';

/** A writer whose configuration names an attestation key. @returns what keygen printed: the key as text and as PEM */
async function withAttestationKey(writer: WriterProcess): Promise<string> {
  const configFile = join(writer.folder, 'sentinel.yaml');
  const config = JSON.parse(readFileSync(configFile, 'utf8')) as { audit_ledger: { [key: string]: unknown } };
  config.audit_ledger['attestation_signing_key_path'] = join(writer.folder, 'attestation.key');
  writeFileSync(configFile, JSON.stringify(config));
  const made = await writer.run('keygen', '--attestation');
  assert.equal(made.code, 0, made.output);
  return made.output;
}

describe('export', () => {
  it('signs for having made a copy, and both programs in it see whether that is so', async () => {
    await using writer = new WriterProcess();
    const [attestationKey = ''] = (await withAttestationKey(writer)).split('\n');
    await writer.start();
    const pack = join(writer.folder, 'pack');
    const { code, output } = await writer.run('export', '--output', pack);
    assert.equal(code, 0, output);
    assert.match(output, /signed as made by sentinel-attestation\/\S+ at \d{4}-/);
    const key = writer.verifierKey;
    const signed = verdictsOf(pack, { key, attestationKey });
    assert.equal(signed.status, 0, signed.output);
    assert.match(signed.output, /sentinel-attestation\/\S+ signed this pack with the attestation key given/);
    assert.match(
      verdictsOf(pack, { key }).output,
      /NOT PROVEN: .*who made the pack: give the key of attestation\.json/,
    );

    const known = ['verify', '--from-export', pack, '--key', key, '--attestation-key'] as const;
    assert.equal((await writer.run(...known, attestationKey)).code, 0);
    assert.equal((await writer.run(...known, key)).code, 1);
    assert.match(verdictsOf(pack, { key, attestationKey: key }).output, /not signed by .* with this attestation key/);
    const file = join(pack, 'attestation.json');
    const envelope = readFileSync(file, 'utf8');
    const payload = Buffer.from((JSON.parse(envelope) as { payload: string }).payload, 'base64').toString('utf8');
    const forged = payload.replace('"made_at":"2', '"made_at":"1');
    assert.notEqual(forged, payload);
    writeFileSync(file, envelope.replace(/"payload":"[^"]+"/, `"payload":"${Buffer.from(forged).toString('base64')}"`));
    assert.match(verdictsOf(pack, { key, attestationKey }).output, /not signed by .* with this attestation key/);
    assert.match((await writer.run(...known, attestationKey)).output, /attestation\.json: .* does not verify/);
    rmSync(file);
    assert.match(verdictsOf(pack, { key, attestationKey }).output, /the pack is not signed/);
    assert.equal((await writer.run(...known, attestationKey)).code, 1);
  });

  it('is of another pack where its statement is', async () => {
    const maker = { key: parseSigningKey(generateSigningKeyText('maker')), nowMs: 0, version: '1' };
    const log = await logOfSize(20);
    const [one, other] = [
      await evidenceOf(log, 'soc2', 'pack', { maker }),
      await evidenceOf(log, 'soc2', 'pack', { maker, range: { last: 9 } }),
    ];
    const given = { key: TEST_KEY.verifier.text, attestationKey: maker.key.verifier.text };
    assert.match(
      verdictsOf(one.path, given).output,
      /^PROVEN: .*maker signed this pack .* at 1970-01-01T00:00:00\.000Z/,
    );
    copyFileSync(join(other.path, 'attestation.json'), join(one.path, 'attestation.json'));
    const { status, output } = verdictsOf(one.path, given);
    assert.equal(status, 1, output);
    assert.match(output, /speaks of another pack/);
  });
});

describe('verify --attest', () => {
  it('writes a statement that others verify with DSSE and Ed25519 alone, and no forgery passes', async () => {
    await using writer = new WriterProcess();
    const made = await withAttestationKey(writer);
    await writer.start();
    await writer.signal('SIGTERM');
    const pem = made.slice(made.indexOf('-----BEGIN'));

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

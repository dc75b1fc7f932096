import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { ServerCredentials } from '@grpc/grpc-js';
import { makeAuthority, temporaryFolder } from '@sentinel/test-kit';
import { type Outcome, run } from './testing/run.js';
import { GPU } from './testing/samples.js';
import { FakeEngine, TOKEN } from './testing/services.js';

test('mutual TLS: with the flags it works, and what does not fit is said', async () => {
  await using folder = await temporaryFolder();
  const authority = await makeAuthority(folder.join('ca'));
  const server = await authority.issue('correlation-engine');
  const operator = await authority.issue('operator');
  const stranger = await (await makeAuthority(folder.join('other'))).issue('operator');
  const pair = { cert_chain: readFileSync(server.certFile), private_key: readFileSync(server.keyFile) };
  await using engine = await new FakeEngine().start(
    ServerCredentials.createSsl(readFileSync(server.caFile), [pair], true),
  );
  await using plain = await new FakeEngine().start();
  const flags = ({ caFile, certFile, keyFile } = operator, ca = caFile): string[] => [
    '--tls-ca',
    ca,
    '--tls-cert',
    certFile,
    '--tls-key',
    keyFile,
  ];
  const list = (address: string, tls: readonly string[]) => run(['gpus', 'list', '--engine', address, ...tls]);

  assert.equal((await list(engine.address, flags())).status, 0);
  assert.equal((await list(engine.address, [...flags(), '--tls-server-name', 'correlation-engine'])).status, 0);
  writeFileSync(folder.join('token'), TOKEN);
  const order = ['condemn', GPU, '--reason', 'x', '--engine', engine.address, '--token-file', folder.join('token')];
  assert.equal((await run([...order, ...flags()])).status, 0);

  const refused: readonly (readonly [RegExp, Promise<Outcome>])[] = [
    [/has another name/, list(engine.address, [...flags(), '--tls-server-name', 'elsewhere.example'])],
    [/not of the authorities/, list(engine.address, flags(operator, stranger.caFile))],
    [/it hangs up/, list(engine.address, flags(stranger, operator.caFile))],
    [/it hangs up/, list(engine.address, [])],
    [/it speaks no TLS/, list(plain.address, flags())],
  ];
  for (const [pattern, outcome] of refused) {
    const { status, stderr } = await outcome;
    assert.equal(status, 69);
    assert.match(stderr, pattern);
  }
});

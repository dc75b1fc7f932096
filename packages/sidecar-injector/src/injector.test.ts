import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, makeAuthority, startProcess, temporaryFolder } from '@sentinel/test-kit';
import { podOf, reviewOf } from './testing/pods.js';

const BIN = join(import.meta.dirname, '../bin/sentinel-sidecar-injector.mjs');

/** Posts JSON over TLS that trusts `ca` alone. */
function post(address: string, ca: string, body: object): Promise<{ response: { patch?: string } }> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', ca: readFileSync(ca), headers: { 'content-type': 'application/json' } };
    const call = request(`https://${address}/mutate`, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(JSON.parse(text) as { response: { patch?: string } }));
    });
    call.on('error', reject).end(JSON.stringify(body));
  });
}

test('the command answers over TLS, takes a new image after SIGHUP, and counts', async () => {
  await using folder = await temporaryFolder();
  const authority = await makeAuthority(folder.path);
  const { certFile, keyFile, caFile } = await authority.issue({ name: 'sidecar-injector' });
  const file = join(folder.path, 'sentinel.yaml');
  const ready = join(folder.path, 'ready');
  const write = (image: string) =>
    writeFileSync(
      file,
      JSON.stringify({
        sidecar_injector: {
          listen_address: '[::]:0',
          tls: { cert_file: certFile, key_file: keyFile, ca_file: caFile },
          metrics: { listen_address: '[::]:0' },
          sidecar: { image },
        },
      }),
    );
  write('registry.test/monitor:1');
  const command = [process.execPath, BIN, '--config', file, '--ready-file', ready] as const;
  await using injector = await startProcess({ command, ready: { file: ready } });
  const { http: everywhere, metrics } = injector.ready as { http: string; metrics: string };
  const http = everywhere.replace('[::]', '127.0.0.1');
  const imageOf = async () => {
    const { response } = await post(http, caFile, reviewOf(podOf()));
    return /"image":"([^"]+)"/.exec(Buffer.from(response.patch ?? '', 'base64').toString())?.[1];
  };
  assert.equal(await imageOf(), 'registry.test/monitor:1');
  // A cluster may have addresses of either kind alone.
  for (const host of ['127.0.0.1', '[::1]'])
    assert.ok((await post(everywhere.replace('[::]', host), caFile, reviewOf(podOf()))).response.patch, host);
  write('registry.test/monitor:2');
  process.kill(injector.pid, 'SIGHUP');
  await eventually(async () => (await imageOf()) === 'registry.test/monitor:2', { what: 'the new image' });
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  assert.match(text, /sentinel_injector_reviews_total\{outcome="injected"\} ([2-9]|\d\d)/);
});

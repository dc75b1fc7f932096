import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { temporaryFolder } from '@sentinel/monitor-kit/testing/until';
import { Sidecar } from './testing/sidecar.js';

const upstream = createServer((_, answer) => answer.end('the server'));
await new Promise<void>((resolve) => {
  upstream.listen(0, '127.0.0.1', resolve);
});
after(() => upstream.close());
const { port } = upstream.address() as AddressInfo;

/** @returns what a client gets, what the monitor said, and where it serves metrics */
async function passing(config: (folder: string) => Record<string, unknown>) {
  const folder = temporaryFolder();
  const sidecar = new Sidecar(folder);
  const base = { upstream_url: `http://127.0.0.1:${port}`, framework: 'vllm' };
  const ready = await sidecar.start({ ...base, ...config(folder) });
  const answer = await fetch(`http://${ready.http}/health`);
  const got = { text: await answer.text(), said: sidecar.output, metrics: ready.metrics };
  await sidecar.end();
  return got;
}

const NONE = '/nowhere/none.pem';

test('requests pass where replicas are wanted and there are no certificates yet; everything else is analysed', async () => {
  const { text, said, metrics } = await passing(() => ({
    tls: { enabled: true, cert_file: NONE, key_file: NONE, ca_file: NONE },
    replicas: { listen_address: '127.0.0.1:0', endpoints: ['127.0.0.1:1'] },
  }));
  assert.equal(text, 'the server');
  assert.match(said, /monitors of other replicas are not answered: .*inference_monitor\.tls\.cert_file: cannot read/);
  assert.notEqual(metrics, undefined);
});

test('requests pass where nothing can be kept, or prompts are missing: that is said, and tried again', async () => {
  const file = await passing((folder) => {
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'data/node-1'), 'a file in place of a folder');
    return {};
  });
  assert.equal(file.text, 'the server');
  assert.match(file.said, /requests pass, and nothing is found in them: .*EEXIST.*"data_dir"|"data_dir".*EEXIST/);
  const prompts = await passing(() => ({ canary: { prompts_file: NONE } }));
  assert.equal(prompts.text, 'the server');
  assert.match(prompts.said, /nothing is found in them: .*prompts_file/);
});

test('a second monitor on the same socket does not begin, and leaves the front of the first as it is', async () => {
  const folder = temporaryFolder();
  const first = new Sidecar(folder);
  const base = { upstream_url: `http://127.0.0.1:${port}`, framework: 'vllm' };
  await first.start(base);
  const front = await first.frontPid();
  const second = new Sidecar(folder);
  await assert.rejects(second.start({ ...base, data_dir: join(folder, 'other') }), /another analyser listens on/);
  assert.equal(await first.frontPid(), front);
  await first.end();
});

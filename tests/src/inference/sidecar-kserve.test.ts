/** Triton's clients against real servers of KServe v2, directly and through the sidecar that samples every request. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { freePort } from '@sentinel/test-kit';
import { ROOT } from '../harness/paths.js';
import { type KserveServer, python, startMlserver, startTriton } from './servers.js';
import { startSidecar } from './sidecar.js';

const run = promisify(execFile);
const SURFACE = join(ROOT, 'tests/src/inference/clients/kserve_surface.py');
const TEST_MS = 400_000;
const CLIENT_MS = 120_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

type Surface = Record<string, Record<string, unknown>>;

async function surface(http: string, grpc: string, can: readonly string[]): Promise<Surface> {
  const options = { timeout: CLIENT_MS, maxBuffer: MAX_OUTPUT_BYTES };
  const { stdout } = await run(await python('clients'), [SURFACE, http, grpc, ...can], options);
  return JSON.parse(stdout) as Surface;
}

const host = (url: string) => url.replace('http://', '');

/** @param samples that the analyser takes, at least */
async function compare(server: KserveServer, can: readonly string[], samples: number): Promise<void> {
  const grpc = `127.0.0.1:${await freePort()}`;
  const config = {
    framework: 'triton',
    upstream_url: server.url,
    upstream_grpc: server.grpc,
    grpc_listen_address: grpc,
  };
  await using sidecar = await startSidecar(config);
  const direct = await surface(host(server.url), server.grpc, can);
  const through = await surface(host(sidecar.url), grpc, can);
  for (const [way, calls] of Object.entries(direct))
    for (const [name, expected] of Object.entries(calls))
      assert.deepEqual(through[way]?.[name], expected, `${way}: ${name}`);
  await sidecar.reaches('sentinel_inference_records_total', samples);
}

describe('a server of KServe v2 behind the sidecar', { timeout: 2 * TEST_MS }, () => {
  it('Triton answers alike: JSON, binary tensors, gRPC, decoupled streams, errors', { timeout: TEST_MS }, async () => {
    await using triton = await startTriton();
    // 5 over HTTP, 3 over gRPC, 3 streams.
    await compare(triton, ['binary', 'stream'], 10);
  });

  it('MLServer answers alike', { timeout: TEST_MS }, async () => {
    await using mlserver = await startMlserver();
    // Of a server without binary tensors the largest answer passes unseen.
    await compare(mlserver, [], 4);
  });
});

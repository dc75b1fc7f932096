// The whole CUDA path of the release on healthy fake GPUs: it passes, and computes what the oracle computed.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { goldenCpus } from './addons.mjs';
import { needsKernels } from './fake-gpu/needs.mjs';
import { onGpu } from './fake-gpu/process.mjs';

const kernels = join(import.meta.dirname, '..', 'cuda', 'kernels');
const KERNELS = readdirSync(kernels)
  .map((name) => /^SENTINEL_\w+_KERNELS\((\w+),/m.exec(readFileSync(join(kernels, name), 'utf8'))?.[1])
  .filter((family) => family !== undefined);
/** Judged by the majority of SMs, which needs more of them. */
const SMS = 4;

const execute = (family, sms, rest = {}) => ['gpuExecute', { family, epoch: 77, index: 5, sms, goldenCpus, ...rest }];
const namesOf = (opened) => opened.families.filter((family) => family.available).map((family) => family.name);
const range = (count) => Array.from({ length: count }, (_, k) => k);

/** Digest by family; every SM must have passed with it. */
async function digests(machine, openWith, sms, families) {
  const [opened, ...reports] = await onGpu(
    machine,
    families.map((family) => execute(family, sms)),
    openWith,
  );
  assert.deepEqual(opened.sms, sms);
  return Object.fromEntries(
    reports.map((report, k) => {
      assert.equal(report.goldenAgreed, true, `${families[k]}: ${JSON.stringify(report)}`);
      assert.equal(report.gpu.launches, 1);
      assert.deepEqual(
        report.results.map(({ sm, result, reason, digest, mismatch }) => ({ sm, result, reason, digest, mismatch })),
        sms.map((sm) => ({ sm, result: 'PASS', reason: null, digest: report.expectedDigest, mismatch: null })),
        families[k],
      );
      return [families[k], report.expectedDigest];
    }),
  );
}

test('every family that has a kernel is available', needsKernels, async () => {
  assert.ok(KERNELS.length > 10);
  const [opened] = await onGpu({}, []);
  assert.deepEqual(
    KERNELS.filter((family) => !namesOf(opened).includes(family)),
    [],
  );
});

test(
  'all families pass, alike with graphs, without, with the small variant and on sparse SM numbers',
  needsKernels,
  async () => {
    const [opened] = await onGpu({ devices: [{ sms: SMS }] }, []);
    const families = namesOf(opened);
    const sparse = [1, 4, 6, 11];
    const graphs = await digests({ devices: [{ sms: SMS }] }, {}, range(SMS), families);
    assert.equal(new Set(Object.values(graphs)).size, families.length);
    const variations = [
      [{ devices: [{ sms: SMS }] }, { useGraphs: false }, range(SMS)],
      [{ devices: [{ sms: SMS }] }, { variant: 'small' }, range(SMS)],
      [{ devices: [{ smids: sparse, nsmid: 16 }] }, {}, sparse],
    ];
    for (const [machine, openWith, sms] of variations)
      assert.deepEqual(await digests(machine, openWith, sms, families), graphs, JSON.stringify([machine, openWith]));
  },
);

test('the kernels of every architecture pass', needsKernels, async () => {
  for (const cc of ['8.0', '8.6', '8.9', '10.0', '12.0']) {
    const machine = { devices: [{ cc, sms: SMS }] };
    const [opened] = await onGpu(machine, []);
    await digests(machine, {}, range(SMS), namesOf(opened));
  }
});

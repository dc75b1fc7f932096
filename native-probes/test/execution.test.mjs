import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cpus, families, fresh, goldenCpus, probes, testProbes, withFaults } from './addons.mjs';

const CLEAN_EXECUTIONS = 1_000;

test('the addon says what it is and what it can run', () => {
  const info = probes.info();
  assert.equal(info.apiVersion, 1);
  assert.equal(info.testBuild, false);
  assert.equal(testProbes.info().testBuild, true);
  assert.equal(info.backend, 'cpu');
  assert.ok(info.cpuModel.length > 0 && info.vendor.length > 0);
  assert.deepEqual(
    info.families.map((family) => family.name),
    ['fma32', 'int_aes', 'fma64', 'cpu_reg', 'cpu_mem', 'fma16', 'cpu_libm', 'cpu_bf16'],
  );
  for (const family of info.families) {
    assert.equal(family.available, family.missing === null);
    assert.ok(family.instructions.length > 0);
  }
});

test('a healthy run passes on every CPU with the golden digest', () => {
  for (const family of families) {
    const report = probes.execute(fresh(family));
    assert.equal(report.goldenAgreed, true);
    assert.equal(report.goldenCrcOk, true);
    assert.equal(report.goldenDispute, null);
    assert.deepEqual(
      report.results.map(({ sm, result, reason, digest, mismatch }) => ({ sm, result, reason, digest, mismatch })),
      cpus.map((sm) => ({ sm, result: 'PASS', reason: null, digest: report.expectedDigest, mismatch: null })),
    );
    for (const { startUs, durationUs } of report.results)
      assert.ok(startUs >= 0 && durationUs > 0 && durationUs < report.wallUs);
  }
});

test('CPU time is charged to every CPU that worked, golden included', () => {
  const report = probes.execute(fresh('fma32', { sms: [cpus[0]] }));
  for (const cpu of goldenCpus) {
    const charge = report.cpuUs.find((entry) => entry.cpu === cpu);
    assert.ok(charge !== undefined && charge.us > 100, `CPU ${cpu} is charged ${charge?.us} us`);
  }
});

test('equal seeds give equal digests, other families, epochs and indices give others', () => {
  const digest = (family, epoch, index) =>
    probes.execute({ family, epoch, index, sms: [cpus[0]], goldenCpus }).expectedDigest;
  assert.equal(digest('fma32', 7, 9), digest('fma32', 7, 9));
  const all = families.flatMap((family) => [
    digest(family, 7, 9),
    digest(family, 7, 10),
    digest(family, 8, 9),
    digest(family, 9, 7),
  ]);
  assert.equal(new Set(all).size, all.length);
});

test('no execution fails without a fault', () => {
  for (const family of families) {
    const seen = new Set();
    for (let k = 0; k < CLEAN_EXECUTIONS; k++) {
      const report = probes.execute(fresh(family));
      seen.add(report.expectedDigest);
      for (const { sm, result, reason } of report.results)
        assert.equal(result, 'PASS', `${family} on ${sm}: ${reason}`);
    }
    assert.ok(seen.size > CLEAN_EXECUTIONS - 3, 'operands are fresh in every run');
  }
});

test('one golden CPU is enough to pass', () => {
  const report = probes.execute(fresh('fma32', { goldenCpus: [cpus[0]] }));
  assert.equal(report.goldenAgreed, true);
  assert.ok(report.results.every(({ result }) => result === 'PASS'));
});

const absent = Math.max(...cpus) + 1;

test('an SM outside the affinity mask is NOT_RUN, the others run', () => {
  const report = probes.execute(fresh('int_aes', { sms: [absent, cpus[0]] }));
  assert.equal(report.results[0].result, 'NOT_RUN');
  assert.match(report.results[0].reason, new RegExp(`logical CPU ${absent} is not in the affinity mask`));
  assert.equal(report.results[0].digest, 0);
  assert.equal(report.results[1].result, 'PASS');
});

test('without a golden everything is NOT_RUN', () => {
  const report = probes.execute(fresh('fma32', { goldenCpus: [cpus[0], absent] }));
  assert.equal(report.goldenAgreed, false);
  assert.equal(report.goldenCrcOk, false);
  assert.equal(report.expectedDigest, 0);
  for (const { result, reason } of report.results) {
    assert.equal(result, 'NOT_RUN');
    assert.match(reason, /^golden: logical CPU/);
  }
});

test('known answers on an SM outside the affinity mask are NOT_RUN, not passed', () => {
  for (const entry of probes.knownAnswers(absent)) {
    assert.deepEqual(
      { passed: entry.passed, result: entry.result, executed: entry.executed },
      { passed: false, result: 'NOT_RUN', executed: 0 },
    );
  }
});

test('a thread that is moved in the middle of a run is NOT_RUN', () => {
  assert.ok(cpus.length > 1, 'this test needs two CPUs');
  const report = withFaults([{ cores: [cpus[0]], family: 'fma32', site: 'placement' }], () =>
    testProbes.execute(fresh('fma32')),
  );
  assert.equal(report.results[0].result, 'NOT_RUN');
  assert.match(report.results[0].reason, new RegExp(`^moved from logical CPU ${cpus[0]} to`));
  assert.ok(report.results.slice(1).every(({ result }) => result === 'PASS'));
});

test('the affinity of the calling thread stays as it was', () => {
  const affinity = () => /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/thread-self/status', 'utf8'))[1];
  const before = affinity();
  probes.execute(fresh('fma32'));
  probes.knownAnswers(cpus[0]);
  assert.equal(affinity(), before);
});

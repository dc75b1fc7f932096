import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpus, families, fresh, testProbes, withFaults } from './addons.mjs';

const [healthy, faulty] = cpus.length > 1 ? [cpus[0], cpus[1]] : [undefined, cpus[0]];

const failing = (report) => report.results.filter(({ result }) => result === 'FAIL').map(({ sm }) => sm);

test('these tests have a healthy core beside the faulty one', () => assert.notEqual(healthy, undefined));

test('a fault is found on the core that has it, and on no other', () => {
  for (const family of families) {
    withFaults([`core=${faulty},family=${family},rate=0.01`], () => {
      for (let k = 0; k < 50; k++) {
        const report = testProbes.execute(fresh(family));
        assert.deepEqual(failing(report), [faulty]);
        assert.equal(report.goldenAgreed && report.goldenCrcOk, true);
        assert.equal(report.results.filter(({ result }) => result === 'PASS').length, cpus.length - 1);
      }
    });
  }
});

test('what was falsified is counted, and the first is timed', () => {
  const before = testProbes.falsified();
  testProbes.execute(fresh('fma32'));
  assert.deepEqual(testProbes.falsified(), before, 'nothing is counted without a fault');
  const startUs = Date.now() * 1000;
  withFaults([{ cores: [faulty], family: 'fma32', rateExec: 1 }], () => testProbes.execute(fresh('fma32')));
  const after = testProbes.falsified();
  assert.equal(after.count, before.count + 1);
  assert.ok(after.firstUs <= Date.now() * 1000 + 1000 && (before.firstUs ?? startUs - 1000) <= after.firstUs);
});

test('a fault of one family leaves the other alone', () => {
  withFaults([{ cores: [faulty], family: 'fma32' }], () => {
    assert.deepEqual(failing(testProbes.execute(fresh('fma32'))), [faulty]);
    assert.deepEqual(failing(testProbes.execute(fresh('int_aes'))), []);
  });
  assert.deepEqual(failing(testProbes.execute(fresh('fma32'))), [], 'and is gone when it is removed');
});

test('the detail is of the first wrong vector and fits what was injected', () => {
  const mask = 0x0004_0000;
  for (const family of families) {
    const { iterations } = testProbes.info().families.find(({ name }) => name === family);
    // Of results that have the bit, which no infinity and no default NaN has: those would change by more than it.
    const finite = { dataMask: mask, dataValue: mask };
    const report = withFaults([{ cores: [faulty], family, rate: 0.01, mask, lane: 1, ...finite }], () =>
      testProbes.execute(fresh(family)),
    );
    const { mismatch, digest } = report.results.find(({ sm }) => sm === faulty);
    assert.equal(mismatch.expectedDigest, report.expectedDigest);
    assert.equal(mismatch.actualDigest, digest);
    assert.notEqual(digest, report.expectedDigest);
    assert.ok(mismatch.iteration < iterations && mismatch.lane < 8 && mismatch.mismatchCount > 0);
    assert.equal(mismatch.expected.length, mismatch.actual.length);
    const bits = mismatch.expected.map((word, k) => word ^ mismatch.actual[k]);
    assert.ok(bits.some((word) => word !== 0));
    if (family !== 'int_aes')
      assert.ok(
        // The mask is of the place in the vector: a pass of fma16 may turn a high half to a low one.
        bits.some((word) => word === mask || (family === 'fma16' && word === mask >>> 16)),
        `${family}: one result has exactly the flipped bit, not ${bits}`,
      );
  }
});

test('a wrong word of a block of memory is found by its partial sums', () => {
  const columns = new Set();
  for (let seed = 0; seed < 40; seed++) {
    const report = withFaults([{ cores: [faulty], family: 'cpu_mem', rateExec: 1, mask: 1, seed }], () =>
      testProbes.execute(fresh('cpu_mem', { sms: [faulty] })),
    );
    const { expected, actual, mismatchCount } = report.results[0].mismatch;
    const read = [0, 3, 6].find((word) => expected[word] !== actual[word]);
    const [sum, partialSums, difference] = [0, 1, 2].map((word) => (actual[read + word] - expected[read + word]) | 0);
    const toTheEnd = partialSums / sum;
    assert.ok(Math.abs(sum) === 1 && difference === 1 && mismatchCount === 1);
    assert.ok(toTheEnd >= 1 && toTheEnd <= 64, `${toTheEnd} words from the wrong one to the end of the read`);
    columns.add(toTheEnd);
  }
  assert.ok(columns.size > 10, 'and it is not always the same');
});

for (const family of families.filter((name) => name === 'cpu_bf16')) {
  test('the passes of cpu_bf16 through dot products and through tiles each find their faults', () => {
    const amx = testProbes.info().features.includes('amx');
    const kinds = new Set();
    for (let seed = 0; seed < 60; seed++) {
      const fault = { cores: [faulty], family, rateExec: 1, seed };
      const request = fresh(family, { sms: [faulty] });
      const [{ result, mismatch }] = withFaults([fault], () => testProbes.execute(request)).results;
      assert.deepEqual([result, mismatch.mismatchCount], ['FAIL', 1]);
      kinds.add(Math.floor(mismatch.round / 16));
    }
    assert.deepEqual([...kinds].sort(), amx ? [0, 1, 2] : [0]);
  });
}

test('every stuck bit of a lane is found in one execution', () => {
  for (const family of families) {
    for (let bit = 0; bit < 32; bit++) {
      for (const effect of ['stuck0', 'stuck1']) {
        const spec = { cores: [faulty], family, effect, mask: (1 << bit) >>> 0, lane: bit % 4 };
        const report = withFaults([spec], () => testProbes.execute(fresh(family, { sms: [faulty] })));
        assert.deepEqual(failing(report), [faulty], `${family} bit ${bit} ${effect}`);
      }
    }
  }
});

test('rateExec is the probability that an execution fails', () => {
  const executions = 1_500;
  const rate = 0.1;
  const spec = { cores: [faulty], family: 'int_aes', effect: 'xor', rateExec: rate, seed: 3 };
  const failed = withFaults([spec], () => {
    let count = 0;
    for (let k = 0; k < executions; k++) {
      const request = { family: 'int_aes', epoch: 77, index: k, sms: [faulty], goldenCpus: [healthy] };
      const [{ mismatch }] = testProbes.execute(request).results;
      if (mismatch !== null) assert.ok(++count > 0 && mismatch.mismatchCount > 0);
    }
    return count;
  });
  const sigma = Math.sqrt(executions * rate * (1 - rate));
  assert.ok(Math.abs(failed - executions * rate) < 4 * sigma, `${failed} of ${executions}`);
});

test('the same seed of the generator gives the same wrong digests', () => {
  const run = () =>
    withFaults([{ cores: [faulty], family: 'fma32', rate: 0.001, seed: 11 }], () =>
      [1, 2, 3].map(
        (index) =>
          testProbes.execute({ family: 'fma32', epoch: 5, index, sms: [faulty], goldenCpus: cpus.slice(0, 2) })
            .results[0].digest,
      ),
    );
  assert.deepEqual(run(), run());
});

test('several cores falsify alike if told to, and each in its own way if not', () => {
  const digests = (same) =>
    withFaults(
      [{ cores: [healthy, faulty], family: 'int_aes', rate: 0.001, same }],
      () => testProbes.execute(fresh('int_aes', { sms: [healthy, faulty] })).results,
    );
  const alike = digests(true);
  assert.deepEqual(
    alike.map(({ result }) => result),
    ['FAIL', 'FAIL'],
  );
  assert.equal(alike[0].digest, alike[1].digest);
  const own = digests(false);
  assert.deepEqual(
    own.map(({ result }) => result),
    ['FAIL', 'FAIL'],
  );
  assert.notEqual(own[0].digest, own[1].digest);
});

test('onset: a core computes rightly first', () => {
  const results = withFaults([{ cores: [faulty], family: 'fma32', onset: 3 }], () =>
    Array.from({ length: 5 }, () => testProbes.execute(fresh('fma32', { sms: [faulty] })).results[0].result),
  );
  assert.deepEqual(results, ['PASS', 'PASS', 'PASS', 'FAIL', 'FAIL']);
});

test('a fault with a data trigger acts on results with that data only', () => {
  const trigger = { dataMask: 0xffff_ffff, dataValue: 0x7f80_0000 };
  const report = withFaults([{ cores: [faulty], family: 'fma32', mask: 1 << 30, ...trigger }], () =>
    testProbes.execute(fresh('fma32')),
  );
  const { mismatch } = report.results.find(({ sm }) => sm === faulty);
  mismatch.expected.forEach((word, k) => {
    if (word !== mismatch.actual[k]) assert.deepEqual([word, mismatch.actual[k]], [0x7f80_0000, 0x3f80_0000]);
  });
});

test('with one golden CPU a mismatch is inconclusive', () => {
  const report = withFaults([{ cores: [faulty], family: 'fma32' }], () =>
    testProbes.execute(fresh('fma32', { goldenCpus: [healthy] })),
  );
  const result = report.results.find(({ sm }) => sm === faulty);
  assert.equal(result.result, 'INCONCLUSIVE');
  assert.match(result.reason, /only the committed known answers|nothing but the committed known answers/);
  assert.notEqual(result.mismatch, null);
});

test('a buffer that changed during the run accuses nobody', () => {
  const report = withFaults([{ cores: [healthy], family: 'int_aes', site: 'operand-buffer' }], () =>
    testProbes.execute(fresh('int_aes')),
  );
  assert.equal(report.goldenCrcOk, false);
  assert.deepEqual(failing(report), []);
  assert.match(report.results[0].reason, /buffer changed during the run/);
});

test('a wrong fold of right words is a mismatch of the lane digest', () => {
  for (const family of families) {
    const { iterations } = testProbes.info().families.find(({ name }) => name === family);
    const report = withFaults([{ cores: [faulty], family, site: 'digest' }], () => testProbes.execute(fresh(family)));
    assert.deepEqual(failing(report), [faulty]);
    const { mismatch } = report.results.find(({ sm }) => sm === faulty);
    assert.deepEqual([mismatch.iteration, mismatch.operands.length, mismatch.expected.length], [iterations, 0, 1]);
    assert.notEqual(mismatch.expected[0], mismatch.actual[0]);
  }
});

test('golden CPUs that disagree are told apart by the known answers', () => {
  for (const family of families) {
    const report = withFaults([{ cores: [faulty], family, site: 'golden' }], () =>
      testProbes.execute(fresh(family, { goldenCpus: [healthy, faulty] })),
    );
    assert.equal(report.goldenAgreed, false);
    assert.ok(report.results.every(({ result, digest }) => result === 'INCONCLUSIVE' && digest === 0));
    const { knownAnswers, accused, mismatch } = report.goldenDispute;
    assert.deepEqual(knownAnswers, [
      { cpu: healthy, result: 'PASS' },
      { cpu: faulty, result: 'FAIL' },
    ]);
    assert.equal(accused, faulty);
    assert.equal(mismatch.mismatchCount, 1);
  }
});

test('a rare golden fault that the known answers do not show accuses nobody', () => {
  const spec = { cores: [faulty], family: 'int_aes', site: 'golden', onset: 1, rateExec: 0.5, seed: 1 };
  const reports = withFaults([spec], () =>
    Array.from({ length: 40 }, () => testProbes.execute(fresh('int_aes', { goldenCpus: [healthy, faulty] }))),
  );
  const disputes = reports
    .filter(({ goldenDispute }) => goldenDispute !== null)
    .map(({ goldenDispute }) => goldenDispute);
  assert.ok(disputes.length > 0);
  for (const { knownAnswers, accused } of disputes) {
    const failed = knownAnswers.filter(({ result }) => result === 'FAIL').map(({ cpu }) => cpu);
    assert.equal(accused, failed.length === 1 ? faulty : null);
  }
});

test('known answers fail on the faulty core: its unit, or its golden', () => {
  for (const [site, source] of [
    ['result', 'unit'],
    ['golden', 'golden'],
  ]) {
    const [bad, good] = withFaults([{ cores: [faulty], family: 'fma32', site }], () => [
      testProbes.knownAnswers(faulty),
      testProbes.knownAnswers(healthy),
    ]);
    const of = (entries, name) => entries.find(({ family }) => family === name);
    assert.equal(of(bad, 'fma32').passed, false);
    assert.equal(of(bad, 'fma32').firstBad.source, source);
    assert.equal(of(bad, 'fma32').firstBad.mismatch !== null, source === 'unit');
    assert.equal(of(bad, 'int_aes').passed, true);
    assert.ok(good.every(({ passed }) => passed));
  }
});

// Where, how and when a fault acts: each kind is found on the core that has it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cpus, families, fresh, testProbes, withFaults } from './addons.mjs';

const faulty = cpus.at(-1);
const resultsWith = (fault, executions = 1) =>
  withFaults([{ cores: [faulty], ...fault }], () =>
    Array.from({ length: executions }, () => testProbes.execute(fresh(fault.family, { sms: [faulty] })).results[0]),
  );
const outcomes = (fault, executions) => resultsWith(fault, executions).map(({ result }) => result);

/** A file that a sensor of the kernel would be. */
function sensor(t) {
  const folder = mkdtempSync(join(tmpdir(), 'sensor-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'reading');
  return { file, says: (value) => writeFileSync(file, `${value}\n`) };
}

test('a wrong operand is found, whichever it is', () => {
  for (const family of families.filter((name) => name.startsWith('fma'))) {
    for (const site of ['operand-a', 'operand-b', 'operand-c']) {
      assert.deepEqual(outcomes({ family, site, mask: 1 << 3 }), ['FAIL'], `${family} ${site}`);
      // One operation in 2,000 of one lane: a few of the executions meet none, or none whose rounding shows the bit.
      const rare = resultsWith({ family, site, rate: 0.0005, mask: 1 << 3, lane: 2 }, 10);
      const [mismatch] = rare.flatMap((result) => result.mismatch ?? []);
      assert.ok(mismatch.expected.some((word, k) => word !== mismatch.actual[k]));
    }
  }
});

test('a load from another address is found', () => {
  for (let bit = 0; bit < 9; bit++) {
    const [{ result, mismatch }] = resultsWith({ family: 'cpu_mem', site: 'address', rateExec: 1, mask: 1 << bit });
    assert.equal(result, 'FAIL', `vector address bit ${bit}`);
    assert.notEqual(
      mismatch.expected[2] | mismatch.expected[5] | mismatch.expected[8],
      1,
      'differences are expected to be 0',
    );
  }
});

/** Of half precision, where a single one was rounded to it: the word next to it is a NaN, and all NaNs are told as one. */
const INFINITIES = [0x7c00, 0xfc00];

test('one unit in the last place is found', () => {
  const found = resultsWith({ family: 'fma32', effect: 'ulp', rateExec: 1 }, 5).map(({ mismatch }) => {
    assert.equal(mismatch.mismatchCount, 1);
    return Array.from(mismatch.expected)
      .map((word, k) => ({ word, difference: (mismatch.actual[k] - word) | 0 }))
      .filter(({ difference }) => difference !== 0);
  });
  const finite = found.filter(([{ word }]) => !INFINITIES.includes(word));
  assert.ok(finite.length > 0);
  for (const changed of finite)
    assert.ok(changed.length === 1 && Math.abs(changed[0].difference) === 1, JSON.stringify(changed));
});

test('exchanged lanes and stale results are found in every family', () => {
  for (const family of families) {
    for (const effect of ['swap', 'stale']) {
      assert.deepEqual(outcomes({ family, effect, rateExec: 1 }), ['FAIL'], `${family} ${effect}`);
    }
  }
  const [{ mismatch }] = resultsWith({ family: 'fma32', effect: 'swap', rateExec: 1 });
  assert.equal(mismatch.mismatchCount, 2, 'both lanes are wrong');
});

test('the published distribution stands for an effect', () => {
  assert.deepEqual(outcomes({ family: 'int_aes', preset: 'published', rateExec: 1 }), ['FAIL']);
});

test('all cores of the mask can be meant', () => {
  for (const fault of [{ cores: 'all', family: 'fma32' }, 'core=all,family=fma32']) {
    const { results } = withFaults([fault], () => testProbes.execute(fresh('fma32')));
    assert.ok(results.every(({ result }) => result === 'FAIL'));
  }
});

test('heat brings a fault out, and a sensor that cannot be read does not', (t) => {
  const { file, says } = sensor(t);
  const fault = { family: 'int_aes', rateExec: 0.000001, heat: 1, heatReference: 60, heatFile: file };
  assert.deepEqual(outcomes(fault, 5), Array(5).fill('PASS'));
  says(40_000);
  assert.deepEqual(outcomes(fault, 5), Array(5).fill('PASS'));
  says(95_000);
  assert.deepEqual(outcomes(fault, 5), Array(5).fill('FAIL'));
});

test('a fault can wait for a clock', (t) => {
  const { file, says } = sensor(t);
  const fault = { family: 'int_aes', clockAbove: 3000, clockFile: file };
  says(2_900_000);
  assert.deepEqual(outcomes(fault), ['PASS']);
  says(3_100_000);
  assert.deepEqual(outcomes(fault), ['FAIL']);
});

test('bursts: failing executions come together', () => {
  const executions = 600;
  const enter = 0.05;
  const leave = 0.2;
  const failed = outcomes({ family: 'int_aes', burstEnter: enter, burstLeave: leave, seed: 5 }, executions).map(
    (result) => result === 'FAIL',
  );
  const share = failed.filter(Boolean).length / executions;
  const starts = failed.filter((now, k) => now && !failed[k - 1]).length;
  // Stationary share enter / (enter + leave) = 0.2, mean length of a burst 1 / leave = 5.
  assert.ok(share > 0.08 && share < 0.36, `${share}`);
  const length = (share * executions) / starts;
  assert.ok(length > 2.5 && length < 9, `${length}`);
});

test('faults that would never act are refused', () => {
  const refused = (fault, message) =>
    assert.throws(() => testProbes.inject({ cores: [faulty], ...fault }), { name: 'TypeError', message });
  refused({ family: 'int_aes', site: 'operand-a' }, /site: operands are falsified in fma32, fma64 and fma16 only/);
  refused({ family: 'fma32', site: 'address' }, /site: addresses are falsified in cpu_mem only/);
  refused({ family: 'fma32', heat: 1 }, /heat: needs heatFile/);
  refused({ family: 'fma32', clockFile: '/x' }, /clockAbove: needs clockFile/);
  refused({ family: 'fma32', preset: 'published', effect: 'flip' }, /preset: stands for an effect/);
  refused({ family: 'fma32', heat: 1, heatFile: 'x'.repeat(600) }, /heatFile: expected a text/);
});

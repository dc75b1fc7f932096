// What a job on the same CPU loses to executions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpus, families, goldenCpus, probes } from './addons.mjs';

const good = {
  family: 'int_aes',
  epoch: 1,
  index: 0,
  cpu: cpus[0],
  goldenCpus,
  rounds: 3,
  executions: 2,
  gapMs: 1,
  limitMs: 60_000,
};

/** Rounds of one measurement, and measurements until they agree: what else runs on the machine hides the difference in some. */
const ROUNDS = 7;
const MEASUREMENTS = 8;

const isSlower = ({ probed, alone }) => probed.steps / probed.us < alone.steps / alone.us;
/** More than half by a standard deviation of what chance alone would give; nine families pass that by chance in no run. */
const areMost = (slower, rounds) => slower >= rounds / 2 + Math.sqrt(rounds) / 2;

test('every family is measured: a job comes less far while it is executed', () => {
  for (const family of families) {
    const all = [];
    do {
      const { reason, rounds } = probes.measureSlowdown({ ...good, family, rounds: ROUNDS });
      assert.equal(reason, null);
      assert.equal(rounds.length, ROUNDS);
      all.push(...rounds);
    } while (!areMost(all.filter(isSlower).length, all.length) && all.length < ROUNDS * MEASUREMENTS);
    const slower = all.filter(isSlower).length;
    assert.ok(areMost(slower, all.length), `${family}: slower in ${slower} of ${all.length} rounds`);
    for (const { probed, alone, executed, chargedUs } of all) {
      assert.equal(executed, 2);
      assert.ok(chargedUs > 0 && chargedUs < probed.us);
      assert.ok(alone.us >= probed.us, 'the phase without is as long');
    }
  }
});

test('one CPU is enough', () => {
  const { reason, rounds } = probes.measureSlowdown({ ...good, goldenCpus: [cpus[0]] });
  assert.equal(reason, null);
  assert.deepEqual(
    rounds.map(({ executed }) => executed),
    [2, 2, 2],
  );
});

test('it ends at its limit', () => {
  const { rounds } = probes.measureSlowdown({ ...good, rounds: 1_000, gapMs: 20, limitMs: 1 });
  assert.ok(rounds.length <= 1);
});

test('a CPU that this process may not use is said, not measured', () => {
  const { reason, rounds } = probes.measureSlowdown({ ...good, cpu: 8_191 });
  assert.match(String(reason), /logical CPU 8191 is not in the affinity mask/);
  assert.deepEqual(rounds, []);
});

const wrong = [
  [undefined, /measureSlowdown: argument: expected an object/],
  [{ ...good, family: 'hbm' }, /measureSlowdown: family/],
  [{ ...good, cpu: -1 }, /cpu: expected an integer from 0 to 8191/],
  [{ ...good, goldenCpus: [] }, /goldenCpus/],
  [{ ...good, rounds: 0 }, /rounds: expected at least 1/],
  [{ ...good, rounds: 1_001 }, /rounds: expected an integer from 0 to 1000/],
  [{ ...good, executions: 0 }, /executions: expected at least 1/],
  [{ ...good, executions: 17 }, /executions/],
  [{ ...good, gapMs: 101 }, /gapMs/],
  [{ ...good, limitMs: 0 }, /limitMs: expected at least 1/],
  [{ ...good, limitMs: 60_001 }, /limitMs/],
];

test('nonsense is refused and the field named', () => {
  for (const [request, message] of wrong)
    assert.throws(() => probes.measureSlowdown(request), { name: 'TypeError', message });
});

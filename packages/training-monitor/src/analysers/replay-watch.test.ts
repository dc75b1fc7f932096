import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MIN_AGREED } from './agreements.js';
import { ReplayWatch } from './replay-watch.js';

const answer = (rank: number, digest: string, again = true) => ({ rank, digest, again });

/** A run in which all ranks were seen to agree. */
function known(ranks: number): ReplayWatch {
  const watch = new ReplayWatch();
  for (let rank = 0; rank < ranks; rank += 1) {
    for (let k = 0; k < MIN_AGREED; k += 1) round(watch, rank, 'a', 'a', ['a']);
  }
  return watch;
}

function round(
  watch: ReplayWatch,
  rank: number,
  own: string,
  repeat: string,
  others: readonly string[],
  step = 1,
  originalMayDiffer = false,
) {
  const answers = [
    answer(rank, own, false),
    answer(rank, repeat),
    ...others.map((digest, k) => answer(rank + 1 + k, digest)),
  ];
  return watch.round({ rank, answers, asked: false, originalMayDiffer }, { step, timeUs: step });
}

test('a fault that comes and goes, one that stays, and one of the rank that checks', () => {
  const watch = known(14);
  for (let k = 0; k < 3; k += 1) assert.deepEqual(round(watch, 0, 'a', 'a', ['a']), []);
  const [transient] = round(watch, 0, 'b', 'a', ['a', 'a']);
  assert.deepEqual([transient?.ranks, transient?.compared?.agreedBefore], [[0], MIN_AGREED + 3]);
  assert.match(transient?.detail ?? '', /comes and goes/);
  const [persistent] = round(watch, 4, 'b', 'b', ['a', 'a']);
  assert.deepEqual(persistent?.ranks, [4]);
  assert.match(persistent?.detail ?? '', /the fault stays/);
  const [other] = round(watch, 8, 'a', 'a', ['b', 'a']);
  assert.deepEqual(other?.ranks, [9]);
  const [open] = round(watch, 12, 'a', 'a', ['b']);
  assert.deepEqual(open?.ranks, [12, 13]);
});

test('a rank that never agreed is told once, and not accused', () => {
  const watch = new ReplayWatch();
  for (let k = 0; k < MIN_AGREED; k += 1) for (const rank of [0, 1]) round(watch, rank, 'a', 'a', ['a']);
  const found = [1, 2, 3].flatMap((step) => [
    ...round(watch, 2, 'a', 'a', ['b', 'a'], step),
    ...round(watch, 3, 'b', 'b', ['a', 'a'], step),
  ]);
  assert.deepEqual(
    found.map(({ type, severity, ranks, compared }) => [type, severity, ranks, compared]),
    [['CROSS_RANK_DIVERGENCE', 'WARNING', [3], undefined]],
  );
});

test('a rank that agreed before is accused in each round that it loses', () => {
  const watch = known(4);
  const found = [1, 2, 3].flatMap((step) => round(watch, 2, 'b', 'b', ['a', 'a'], step));
  assert.deepEqual(
    found.map(({ severity, ranks }) => [severity, ranks]),
    [1, 2, 3].map(() => ['CRITICAL', [2]]),
  );
});

test('a job most of whose ranks contradict themselves accuses nobody, and that is said once', () => {
  const watch = known(2);
  const severities = [0, 1, 2, 3].map((rank) =>
    round(watch, rank, `x${rank}`, `y${rank}`, []).map(({ severity }) => severity),
  );
  assert.deepEqual(severities, [['CRITICAL'], ['INFO'], [], []]);
});

test('an original of kernels that need not repeat themselves is soft, and nothing once another rank has one', () => {
  const watch = known(4);
  const found = [0, 0, 1, 2].flatMap((rank, step) => round(watch, rank, 'b', 'a', ['a'], step, true));
  assert.deepEqual(
    found.map(({ severity, ranks, compared }) => [severity, ranks, compared]),
    [
      ['WARNING', [0], undefined],
      ['WARNING', [0], undefined],
      ['INFO', [0, 1, 2], undefined],
    ],
  );
});

test('repeats are compared whatever the original was', () => {
  const watch = known(4);
  const [found] = round(watch, 1, 'x', 'b', ['a', 'a'], 1, true).filter(({ severity }) => severity === 'CRITICAL');
  assert.deepEqual([found?.ranks, found?.compared?.answers.length], [[1], 3]);
  assert.match(found?.detail ?? '', /the fault stays/);
});

test('a rank that replays by itself alone has only its original to compare', () => {
  const alone = (originalMayDiffer: boolean) => {
    const watch = new ReplayWatch();
    for (let k = 0; k < MIN_AGREED; k += 1) round(watch, 0, 'a', 'a', []);
    return round(watch, 0, 'b', 'a', [], 9, originalMayDiffer).map(({ severity }) => severity);
  };
  assert.deepEqual([alone(true), alone(false)], [['WARNING'], ['CRITICAL']]);
});

test('a rank that lost is told to agree again', () => {
  const watch = new ReplayWatch();
  round(watch, 0, 'b', 'a', ['a']);
  const [told] = round(watch, 0, 'c', 'c', ['c']);
  assert.deepEqual([told?.severity, told?.ranks, told?.compared?.agreedBefore], ['INFO', [0], 1]);
  assert.deepEqual(round(watch, 0, 'c', 'c', ['c']), []);
});

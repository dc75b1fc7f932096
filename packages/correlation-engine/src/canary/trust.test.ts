import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compared, MAX_COHORTS, MAX_EDGES } from './trust.js';
import type { Ballot } from './vote.js';

const EMPTY = { trust: {}, edgesForgotten: 0 };
const ballot = (deviceId: string, ...digests: number[]): Ballot => ({ deviceId, digests });

test('agreement and disagreement are counted for each pair, once whoever comes first', () => {
  const once = compared(EMPTY, 'c', [ballot('b', 5), ballot('a', 5, 5), ballot('c', 6)], 10);
  const twice = compared(once, 'c', [ballot('a', 5), ballot('b', 5), ballot('c', 0)], 20);
  assert.deepEqual(
    twice.trust['c']?.map(({ a, b, agreed, disagreed, lastUs }) => `${a}${b} ${agreed} ${disagreed} ${lastUs}`).sort(),
    ['ab 2 0 20', 'ac 0 1 10', 'bc 0 1 10'],
    'who did not run is not compared',
  );
});

test('one SM that differs is a disagreement', () => {
  const { trust } = compared(EMPTY, 'c', [ballot('a', 5, 5, 5), ballot('b', 5, 6, 5)], 1);
  assert.equal(trust['c']?.[0]?.disagreed, 1);
});

test('memory is bounded, what says most is kept, and the rest is counted', () => {
  let graph = compared(EMPTY, 'c', [ballot('x', 1), ballot('y', 2)], 0);
  for (let i = 0; i < MAX_EDGES + 5; i += 1)
    graph = compared(graph, 'c', [ballot(`a${i}`, 1), ballot(`b${i}`, 1)], i + 1);
  assert.equal(graph.trust['c']?.length, MAX_EDGES);
  assert.equal(graph.edgesForgotten, 6);
  assert.ok(
    graph.trust['c']?.some(({ a }) => a === 'x'),
    'the oldest is kept because it disagreed',
  );
  for (let i = 0; i < MAX_COHORTS; i += 1)
    graph = compared(graph, `c${i}`, [ballot('a', 1), ballot('b', 1)], 1_000 + i);
  assert.equal(Object.keys(graph.trust).length, MAX_COHORTS);
  assert.equal(graph.edgesForgotten, 6 + MAX_EDGES);
});

test('whatever was compared, every comparison is in the graph once', () => {
  const vote = fc.record({ deviceId: fc.constantFrom('a', 'b', 'c', 'd'), digests: fc.constantFrom([1], [2], [0]) });
  const trio = fc.uniqueArray(vote, { selector: ({ deviceId }) => deviceId, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(trio, { maxLength: 20 }), (canaries) => {
      const graph = canaries.reduce(
        (sum, ballots, i) => compared(sum, 'c', ballots, i),
        EMPTY as ReturnType<typeof compared>,
      );
      const edges = graph.trust['c'] ?? [];
      const total = edges.reduce((sum, { agreed, disagreed }) => sum + agreed + disagreed, 0);
      const ran = canaries.map((ballots) => ballots.filter(({ digests }) => digests[0] !== 0).length);
      assert.equal(
        total,
        ran.reduce((sum, n) => sum + (n * (n - 1)) / 2, 0),
      );
      assert.ok(edges.every(({ a, b }) => a < b));
    }),
  );
});

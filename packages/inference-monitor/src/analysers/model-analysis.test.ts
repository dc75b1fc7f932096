import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@sentinel/monitor-kit/testing/random';
import type { Finding } from './finding.js';
import { ModelAnalysis } from './model-analysis.js';
import { sampleOf, shortLimits } from './testing/limits.js';

const LIMITS = shortLimits();
const { block_s, m } = LIMITS.block_ewma;
const PER_BLOCK = 25;
const BLOCK_US = block_s * 1e6;

interface Replica {
  readonly analysis: ModelAnalysis;
  readonly random: Random;
}

function replica(seed: number, analysis = new ModelAnalysis(LIMITS)): Replica {
  return { analysis, random: new Random(seed) };
}

/** Requests of some blocks, with entropy and logits that are `shift` standard deviations off. */
function run({ analysis, random }: Replica, from: number, blocks: number, shift = 0): Finding[] {
  return Array.from({ length: blocks * PER_BLOCK }, (_, k) => {
    const timeUs = (from + k / PER_BLOCK) * BLOCK_US;
    const [entropy, maxLogit] = [2 + 0.5 * (random.normal() + shift), 20 + random.normal() + shift];
    return analysis.take(sampleOf({ entropy, maxLogit }, timeUs));
  }).flat();
}

const of = (findings: readonly Finding[]) => [...new Set(findings.map(({ type, detector }) => `${type} ${detector}`))];

test('a drift of entropy and logits is found by their own charts, as WARNING at most where nobody else is there', () => {
  const one = replica(1);
  assert.deepEqual(run(one, 0, m + 30), []);
  const found = run(one, m + 30, 20, 3);
  assert.ok(of(found).includes('ENTROPY_ANOMALY entropy-drift'));
  assert.ok(of(found).includes('LOGIT_DRIFT logit-drift'));
  for (const { severity, workers } of found)
    assert.deepEqual([['INFO', 'WARNING'].includes(severity), workers], [true, 'all']);
});

test('a clock that was set back costs a block or two, and no more', () => {
  const one = replica(1);
  run(one, 0, m + 10);
  one.analysis.tick((m + 10_000) * BLOCK_US);
  one.analysis.take(sampleOf({}, (m + 10_000) * BLOCK_US));
  const { judged } = one.analysis.counts;
  assert.deepEqual(run(one, m + 10, 20), []);
  assert.ok(one.analysis.counts.judged >= judged + 19 * 3, String(one.analysis.counts.judged - judged));
  assert.notEqual(one.analysis.blockMean('entropy', m + 20), null);
  assert.ok(of(run(one, m + 30, 20, 3)).includes('ENTROPY_ANOMALY entropy-drift'));
});

test('between replicas the one that drifts alone is named, and its own charts then accuse nobody', () => {
  const replicas = [replica(1), replica(2), replica(3), replica(4)];
  const names = replicas[0]?.analysis.names ?? [];
  const round = (block: number, shift: number) =>
    replicas.map((each, k) => run(each, block, 1, k === 1 ? shift : 0)).map((own, k) => ({ own, k }));
  const compare = (block: number) =>
    replicas.map(({ analysis }, k) =>
      names.flatMap((name) => {
        const others = replicas.filter((_, other) => other !== k).map((other) => other.analysis.blockMean(name, block));
        return analysis.compare(
          name,
          block,
          others.flatMap((mean) => mean ?? []),
        );
      }),
    );
  const cohort: Finding[][] = [[], [], [], []];
  const own: Finding[] = [];
  for (let block = 0; block < m + 50; block += 1) {
    for (const { own: found } of round(block, block > m + 30 ? 3 : 0)) own.push(...found);
    for (const [k, found] of compare(block - 1).entries()) cohort[k]?.push(...found);
  }
  assert.ok(of(cohort[1] ?? []).includes('ENTROPY_ANOMALY entropy-drift'));
  assert.ok((cohort[1] ?? []).every(({ severity }) => severity !== 'INFO'));
  assert.deepEqual([cohort[0], cohort[2], cohort[3]], [[], [], []]);
  // Distributions are learnt first, and compared with those of others later.
  const means = own.filter(({ detector }) => detector !== 'kl');
  assert.ok(means.length > 0 && means.every(({ severity }) => severity === 'INFO'));
});

test('what was learnt survives as text; under other settings it is forgotten', () => {
  const one = replica(4);
  run(one, 0, m + 30);
  const kept = JSON.parse(JSON.stringify(one.analysis.state));
  const after = replica(5, new ModelAnalysis(LIMITS, kept));
  assert.ok(of(run(after, m + 31, 20, 3)).includes('ENTROPY_ANOMALY entropy-drift'));
  const others = { ...LIMITS, block_ewma: { ...LIMITS.block_ewma, min_requests: 21 } };
  assert.deepEqual(run(replica(6, new ModelAnalysis(others, kept)), m + 31, 20, 3), []);
});

test('other limits keep what was learnt; other blocks do not', () => {
  const one = replica(7);
  run(one, 0, m + 30);
  one.analysis.retune({ ...LIMITS, block_ewma: { ...LIMITS.block_ewma, limit: 400 } });
  assert.deepEqual(
    of(run(one, m + 30, 20, 3)).filter((name) => name.includes('drift')),
    [],
  );
  one.analysis.retune(LIMITS);
  assert.ok(of(run(one, m + 50, 20, 3)).includes('ENTROPY_ANOMALY entropy-drift'));
});

test('blocks with too few requests are counted and not judged; a block ends without requests too', () => {
  const analysis = new ModelAnalysis(LIMITS);
  for (let k = 0; k < 5; k += 1) analysis.take(sampleOf({}, 1));
  analysis.tick(BLOCK_US + 1e6);
  assert.deepEqual(analysis.counts, { judged: 0, small: 0 });
  analysis.tick(BLOCK_US + 3e6);
  assert.deepEqual(analysis.counts, { judged: 0, small: 4 });
  assert.equal(analysis.blockMean('entropy', 0), null);
});

test('a request that ends late counts into the block that is open', () => {
  const analysis = new ModelAnalysis(LIMITS);
  for (let k = 0; k < 30; k += 1) analysis.take(sampleOf({ entropy: 1 }, 5 * BLOCK_US));
  analysis.take(sampleOf({ entropy: 1 }, 4 * BLOCK_US));
  analysis.tick(7 * BLOCK_US);
  assert.equal(analysis.blockMean('entropy', 5)?.requests, 31);
});

test('means of output tensors have charts and names', () => {
  const analysis = new ModelAnalysis(LIMITS);
  const outputs = [{ name: 'x distribution', elements: 1, nonfinite: 0, min: 0, max: 1, mean: 0.5 }];
  for (let k = 0; k < 30; k += 1) analysis.take({ ...sampleOf({}, 1), outputs, blocks: [], tokens: undefined });
  analysis.tick(3 * BLOCK_US);
  assert.deepEqual(analysis.blockMean('output x distribution', 0), { mean: 0.5, requests: 30 });
  assert.ok(analysis.names.includes('entropy distribution') && analysis.names.includes('output x distribution'));
  assert.equal(analysis.blockMean('nothing', 0), null);
});

test('the chart of single requests is advisory', () => {
  const analysis = new ModelAnalysis(LIMITS);
  const random = new Random(8);
  const take = (level: number) => analysis.take(sampleOf({ maxLogit: level + random.normal() }, 1));
  for (let k = 0; k < 1_500; k += 1) take(20);
  const found = Array.from({ length: 1_000 }, () => take(30)).flat();
  assert.deepEqual(
    found.map(({ detector, severity }) => [detector, severity]),
    [['logit-ewma', 'INFO']],
  );
});

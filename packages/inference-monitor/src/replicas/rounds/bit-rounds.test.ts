import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Repeatability, SHOWN_ROUNDS } from '../judge/repeatability.js';
import { Standing } from '../judge/standing.js';
import type { Digested } from '../own-server.js';
import type { PeerAnswer } from '../talk/peers.js';
import { BitRounds } from './bit-rounds.js';

const digested = (digest: string, values: readonly number[] = []): Digested => ({
  ...{ digest, tokens: [], values, outputs: Buffer.alloc(0) },
});

function peer(replica: string, digest: string, values: number[] = []): PeerAnswer {
  const answer = { id: 1n, failure: '', digest: Buffer.from(digest, 'hex'), values, count: 0, tokens: [] };
  const known = { repeatable: true, contradictions: 0, sinceUs: 1, weights: '' };
  return { replica, node: `node-${replica}`, gpus: [`GPU-${replica}`], ...known, answer };
}

/** Rounds of a replica whose server repeats itself, or does not, with two others. */
function rounds(isRepeatable: boolean) {
  const repeatability = new Repeatability();
  for (let k = 0; k < SHOWN_ROUNDS; k += 1) repeatability.round('', isRepeatable ? ['aa', 'aa'] : ['aa', 'bb'], 1);
  const about = {
    ...{
      replica: 'a',
      node: 'node-a',
      gpus: ['GPU-a'],
      model: '',
      configHash: '',
      serverHash: '',
      contradictions: 0,
      weights: '',
    },
    ...{ repeatable: { canary: false, replay: isRepeatable }, sinceUs: 1 },
  };
  const looks: number[] = [];
  const made = new BitRounds({
    ...{ kind: 'replay', standing: new Standing(), repeatability: () => repeatability, bits: true },
    ...{ about: () => about, weightsUs: () => 0, nowUs: () => 1000 },
    look: async () => void looks.push(1),
  });
  const run = async (own: Digested, others: readonly PeerAnswer[], isPure = true) => {
    const asked = { key: '', asked: false, subject: () => 'm', isPure: () => isPure };
    const answers = { own: async () => own, crowded: async () => own, others: async () => [...others] };
    return (await made.run({ ...asked, ...answers })).findings.map(({ severity, compared }) => [
      severity,
      compared !== undefined,
    ]);
  };
  return { run, looks };
}

const SAME = [peer('b', 'aa'), peer('c', 'aa')];

test('bits are hard evidence of a model that is known to be pure, and soft of any other', async () => {
  for (const [isPure, expected] of [
    [true, ['CRITICAL', true]],
    [false, ['HIGH', false]],
  ] as const) {
    const { run, looks } = rounds(true);
    assert.deepEqual(await run(digested('aa'), SAME, isPure), []);
    assert.equal(looks.length, 0);
    assert.deepEqual(await run(digested('bb'), SAME, isPure), [expected]);
    assert.equal(looks.length, 1, 'whether the server was started anew is seen before it accuses itself');
  }
});

test('tensors of a server that does not repeat itself are compared by their own size, whatever it is', async () => {
  const { run } = rounds(false);
  const large = [1e7, 2e7, 3e7, 4e7];
  const near = large.map((value) => value + 20);
  for (let k = 0; k < 300; k += 1)
    assert.deepEqual(await run(digested('aa', large), [peer('b', 'bb', near), peer('c', 'cc', near)]), []);
});

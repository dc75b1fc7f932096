import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';
import { restoreLog } from './testing/restore-log.js';
import { replayOf, runReplay } from './testing/run-replay.js';

const FIXTURES = fileURLToPath(new URL('../../fixtures/', import.meta.url));
/** What the fixtures hold: two devices that failed, one that an operator took out and back, other settings, two restarts. */
const STATES = [
  ['CPU-one', 'QUARANTINED'],
  ['CPU-three', 'HEALTHY'],
];

/** Until its schema is there a replay says so; then the engine goes on from what is stored. */
function upgraded(file: string, nextStep: string): TestEngine {
  const engine = new TestEngine();
  before(async () => {
    await restoreLog(engine.folder, join(FIXTURES, file));
  });
  after(() => engine.remove());

  it('an older schema is not replayed, and said to be one', async () => {
    const { folder } = engine;
    const stores = {
      database: { postgres_url: `embedded://${folder}/pg` },
      history: { url: `file://${folder}/history` },
    };
    writeFileSync(join(folder, 'sentinel.yaml'), JSON.stringify({ correlation_engine: stores }), { mode: 0o600 });
    const { code, text } = await runReplay(folder);
    assert.match(text, /its schema is older than this version/);
    assert.equal(code, 69);
  });

  it('the engine brings the schema up to date, has the states of before and decides on', async () => {
    await engine.start();
    const steps = engine.lines.find(({ message }) => message === 'database schema brought up to date')?.['steps'];
    assert.equal((steps as string[])[0], nextStep);
    const state = async (id: string) =>
      (await engine.sql<{ state: string }>('select state from devices where id = $1', [id]))[0]?.state;
    for (const [id = '', expected] of STATES) assert.equal(await state(id), expected, id);
    const agent = new TestAgent(engine.grpc, { node: 'three' });
    await agent.connect();
    agent.sendAll(agent.batch([{}, { index: 1, fails: [{ sm: 2 }] }]));
    await agent.archived(1n);
    agent.close();
    assert.equal(await state('CPU-three'), 'SUSPECT');
  });

  it('what this release decided since replays the same, from the state that it found', async () => {
    const { code, report, text } = await runReplay(engine.folder);
    assert.equal(code, 0, text || JSON.stringify(report?.disagreement));
    assert.match(report?.notCompared[0] ?? '', /^records 1 to \d+, which an earlier release decided/);
    const { transitions, observations, devices, counters, spools } = report?.compared ?? {};
    assert.deepEqual([transitions, observations, devices, counters, spools], [1, 1, 3, 3, 1]);
    await forge(engine, 'three');
    const { disagreement, decidedByEarlierRelease } = await replayOf(engine.folder);
    await forge(engine, 'three');
    assert.match(disagreement?.what ?? '', /^transitions of record \d+$/);
    assert.deepEqual([disagreement?.path, decidedByEarlierRelease], ['[0].injected', false]);
  });
  return engine;
}

/** Changes what is stored of the suspicions of a node's device, or changes it back. */
function forge(engine: TestEngine, node: string) {
  return engine.sql(
    `update transitions set injected = not injected where device_id = 'CPU-${node}' and actor = '' and to_state = 'SUSPECT'`,
  );
}

describe('a log that the release of schema 0007 wrote', () => {
  const engine = upgraded('schema-0007.json.gz', '0008-order-evidence');

  it('replays the same from its beginning up to what today’s engine says more: which order it was', async () => {
    const { code, report, text } = await runReplay(engine.folder, '--from-start');
    assert.equal(code, 1, text);
    const { disagreement, decidedByEarlierRelease, compared = {} } = report ?? {};
    assert.deepEqual([disagreement?.path, disagreement?.stored], ['[0].detail.order', '(absent)']);
    assert.equal(decidedByEarlierRelease, true);
    assert.ok((disagreement?.commitSeq ?? 0) > 20, 'what came before is the same');
    assert.ok((compared.transitions ?? 0) > 0);
  });

  it('a row of that release that was changed is named all the same', async () => {
    await engine.sql(`update transitions set actor = 'nobody' where actor <> ''`);
    const { disagreement, decidedByEarlierRelease } = await replayOf(engine.folder, { fromStart: true });
    assert.match(disagreement?.what ?? '', /^transitions of record \d+$/);
    assert.deepEqual([disagreement?.path, disagreement?.replayed], ['[0].actor', '"operator token"']);
    assert.equal(decidedByEarlierRelease, true);
  });

  it('a restart keeps the copy of the state, and another release makes its own', async () => {
    const copy = async () => {
      const [row] = await engine.sql<{ seq: string; head: string; release: string }>(
        'select c.commit_seq as seq, h.commit_seq as head, release from checkpoint c, head h',
      );
      return { seq: Number(row?.seq), head: Number(row?.head), release: row?.release };
    };
    const before = await copy();
    assert.ok(before.seq < before.head);
    await engine.stop();
    await engine.start();
    assert.equal((await copy()).seq, before.seq);
    await engine.sql(`update checkpoint set release = '0.0.9'`);
    await engine.stop();
    const { head } = before;
    await engine.start();
    const after = await copy();
    assert.ok(after.seq >= head);
    assert.equal(after.release, before.release);
  });
});

describe('a log that the release of schema 0003 wrote, which decided by other rules', () => {
  const engine = upgraded('schema-0003.json.gz', '0004-exposure');

  it('is read, and differs where today’s engine says more: named as decided by an earlier release', async () => {
    const { code, report } = await runReplay(engine.folder, '--from-start');
    assert.equal(code, 1);
    assert.deepEqual(
      [report?.disagreement?.what, report?.disagreement?.path, report?.disagreement?.stored],
      ['events of record 4', '[1].detail.gates[0].inputs', '(absent)'],
    );
    assert.deepEqual([report?.decidedByEarlierRelease, report?.compared.transitions], [true, 1]);
  });
});

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { RunKind } from '../core.js';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';
import { RIGHT, TestMonitor, WRONG } from '../testing/monitor.js';
import { runReplay } from './testing/run-replay.js';

const engine = new TestEngine({ allow_test_builds: true });

/** Two devices, of which both fail, are answered in the burst and decided about; and a job that loads another checkpoint than it saved. */
before(async () => {
  await engine.start();
  for (const node of ['one', 'two']) {
    const agent = new TestAgent(engine.grpc, { node, testBuild: node === 'two' });
    await agent.connect();
    agent.batch([{}, { index: 1, fails: [{ sm: 1 }] }]);
    agent.sendAll(1n);
    await agent.until(() => agent.messages.some((message) => message.$case === 'directive'));
    const directive = agent.messages.find((message) => message.$case === 'directive');
    const id = directive?.$case === 'directive' ? directive.value.id : '';
    agent.report(id, 1);
    for (let i = 2; i < 40; i += 1) {
      const fails = i % 5 === 0 ? { fails: [{ sm: 1 }] } : {};
      agent.sendAll(agent.batch([{ kind: RunKind.BURST, single: 1, index: i, directive: id, ...fails }]));
    }
    await agent.archived(BigInt(agent.payloads.length));
    agent.close();
  }
  const monitor = new TestMonitor(engine.grpc, { node: 'one' });
  const part = { rank: 0, subject: RIGHT, tensors: 1n, bytes: 8n };
  const stored = (digest: Buffer) => ({
    path: '/9.pt',
    algorithm: 'sha256',
    moreParts: 0,
    parts: [{ ...part, digest }],
  });
  const job = { id: 'job-1', gpus: 1, rank: 0, step: 9n, framework: '' };
  for (const event of [{ saved: stored(RIGHT) }, { loaded: stored(WRONG) }])
    monitor.record([{ source: 'training-monitor/checkpoint', job, ...event }]);
  monitor.send(1n, 2n);
  await monitor.committed(2n);
  monitor.close();
});
after(() => engine.remove());

const head = async (): Promise<number> =>
  Number((await engine.sql<{ commit_seq: string }>('select commit_seq from head'))[0]?.commit_seq);
const run = (...flags: string[]) => runReplay(engine.folder, ...flags);

it('beside a running engine, the log replayed from empty gives what was committed', async () => {
  const from = await head();
  const { code, report, text } = await run();
  assert.equal(code, 0, text);
  assert.ok(report !== null);
  assert.equal(report.disagreement, null);
  const { transitions = 0, events = 0, directives, ...others } = report.compared;
  assert.ok(transitions >= 4 && events > transitions, `${transitions} transitions, ${events} events`);
  assert.ok(directives !== undefined);
  assert.deepEqual(others, { observations: 16, devices: 2, nodes: 2, saved: 1, facts: 3, counters: 2, spools: 3 });
  assert.equal(report.notCompared.length, 1, 'the ledger took nothing');
  // The engine goes on meanwhile: a timer of its own is a record, too.
  const until = await head();
  assert.ok(from <= report.records && report.records <= until, `${from} <= ${report.records} <= ${until}`);
  const again = await run('--until', String(report.records));
  assert.equal(again.report?.digest, report.digest, 'the same decisions each time');
});

it('a log can be replayed up to any record; the state is compared at its end only', async () => {
  const { code, report } = await run('--until', '5');
  assert.deepEqual([code, report?.records, report?.compared.devices, report?.disagreement], [0, 5, undefined, null]);
  assert.match(report?.notCompared[0] ?? '', /later records exist/);
});

it('with the engine stopped it starts the database and stops it again', async () => {
  await engine.stop();
  const { code, text } = await run();
  assert.equal(code, 0, text);
  await assert.rejects(engine.sql('select 1'), 'the server was stopped');
  await engine.start();
});

it('reads neither keys, tokens nor certificates, nor the manifest of cohorts', async () => {
  const file = join(engine.folder, 'stores-alone.yaml');
  const { folder } = engine;
  const settings = {
    database: { postgres_url: `embedded://${folder}/pg` },
    history: { url: `file://${folder}/history` },
    tls: { enabled: true, cert_file: 'none.crt', key_file: 'none.key', ca_file: 'none.crt' },
    hmac_keys_path: 'none',
    operator_token_path: 'none',
    service_token_path: 'none',
    cohort_manifest: { file: 'none.json' },
  };
  writeFileSync(file, JSON.stringify({ correlation_engine: settings }), { mode: 0o600 });
  const { code, report, text } = await run('--config', file);
  assert.deepEqual([code, report?.disagreement], [0, null], text);
});

it('a row that was changed behind the engine is named, with both values', async () => {
  const [row] = await engine.sql<{ event_id: string; reason: string; commit_seq: string }>(
    `select event_id, reason, commit_seq from transitions where to_state = 'SUSPECT' order by commit_seq limit 1`,
  );
  assert.ok(row !== undefined);
  await engine.sql('update transitions set reason = $1 where event_id = $2', ['because', row.event_id]);
  const { code, report } = await run();
  assert.equal(code, 1);
  assert.equal(report?.disagreement?.what, `transitions of record ${row.commit_seq}`);
  assert.equal(report.disagreement.commitSeq, Number(row.commit_seq));
  assert.deepEqual(
    [report?.disagreement?.path, report?.disagreement?.stored, report?.disagreement?.replayed],
    ['[0].reason', '"because"', JSON.stringify(row.reason)],
  );
  await engine.sql('update transitions set reason = $1 where event_id = $2', [row.reason, row.event_id]);
});

it('changed digests of what a job saved are found', async () => {
  const [right, wrong] = [RIGHT.toString('hex'), WRONG.toString('hex')];
  const replace = (from: string, to: string) =>
    engine.sql('update saved_digests set body = replace(body::text, $1, $2)::json', [from, to]);
  await replace(`"digest":"${right}"`, `"digest":"${wrong}"`);
  const { report } = await run();
  assert.equal(report?.disagreement?.what, 'what was saved on node one by job job-1');
  assert.deepEqual([report.disagreement.stored, report.disagreement.replayed], [`"${wrong}"`, `"${right}"`]);
  await replace(`"digest":"${wrong}"`, `"digest":"${right}"`);
});

it('a changed record of the log, and changed evidence of a device, are found', async () => {
  await engine.sql(
    `update devices set body = (jsonb_set(body::jsonb, '{note}', '"forged"'))::json where id = 'CPU-one'`,
  );
  const forged = await run();
  assert.equal(forged.code, 1);
  assert.equal(forged.report?.disagreement?.what, 'device CPU-one');
});

it('a lost segment is named, never skipped', async () => {
  await engine.stop();
  rmSync(join(engine.folder, 'history'), { recursive: true });
  const { code, text } = await run();
  assert.equal(code, 69, text);
  assert.match(text, /there is no history in/);
});

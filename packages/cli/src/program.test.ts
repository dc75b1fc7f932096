import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ProbeFamily } from '@sentinel/contracts/sentinel/v1/common.js';
import { IssueDirectiveRequest_Action as Action } from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { CanaryOutcome_Outcome as Outcome } from '@sentinel/contracts/sentinel/v1/trust.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { temporaryFolder } from '@sentinel/test-kit';
import { ENDPOINTS_FILE } from './endpoints.js';
import { installation, NOBODY } from './testing/installation.js';
import { run } from './testing/run.js';
import { GPU, gpuSample, pendingSample } from './testing/samples.js';
import { FakeEngine } from './testing/services.js';

test('questions to an engine, as tables and as JSON', async () => {
  await using folder = await temporaryFolder();
  const gpus = ['a', 'b', 'c', 'd', 'e'].map((end) => gpuSample({ gpu: `${GPU}${end}` }));
  await using engine = await new FakeEngine(gpus).start();
  const dataDir = installation(folder.path, engine.address);
  const list = await run(['gpus', 'list', '--output', 'json'], { dataDir });
  const fleet = JSON.parse(list.stdout) as { gpus: { gpu: string }[]; summary: { executions: number } };
  assert.deepEqual([list.status, list.stderr], [0, '']);
  assert.deepEqual(
    fleet.gpus.map(({ gpu }) => gpu),
    gpus.map(({ gpu }) => gpu),
  );
  assert.equal(fleet.summary.executions, 1_234_567);
  assert.match((await run(['--data', dataDir, 'gpus', 'show', 'GPU-8'])).stdout, /^device {3}GPU-8932f937/);
  assert.match((await run(['gpus', 'explain', 'GPU-8', '--data', dataDir])).stdout, /7 rate-limit +PASS/);
  const explained = await run(['gpus', 'explain', GPU, '--output', 'json'], { dataDir });
  const { observations } = JSON.parse(explained.stdout) as { observations: { mismatch: { family: string } }[] };
  assert.deepEqual(
    observations.map(({ mismatch }) => mismatch.family),
    ['fma32', 'fma32'],
  );
  const history = await run(['gpus', 'history', GPU, '--limit', '5', '--since', '1h', '--output', 'json'], { dataDir });
  const { runs } = JSON.parse(history.stdout) as { runs: { index: number }[] };
  assert.deepEqual(
    runs.map(({ index }) => index),
    [0, 1, 2, 3, 4],
  );
});

test('orders carry the token of the installation, a fresh id, and the reason', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine().start();
  const dataDir = installation(folder.path, engine.address);
  for (const verb of ['quarantine', 'reinstate', 'deep-test', 'condemn']) {
    const { status, stdout } = await run([verb, GPU, '--reason', 'by hand'], { dataDir });
    const answer = verb === 'deep-test' ? /A deep test of GPU-/ : /SUSPECT -> QUARANTINED INJECTED by operator token/;
    assert.deepEqual([status, answer.test(stdout)], [0, true], stdout);
  }
  const actions = [Action.QUARANTINE, Action.REINSTATE, Action.SCHEDULE_DEEP_TEST, Action.CONDEMN];
  assert.deepEqual(
    engine.orders.map(({ action }) => action),
    actions,
  );
  assert.ok(engine.orders.every(({ gpu, reason }) => gpu === GPU && reason === 'by hand'));
  assert.equal(new Set(engine.orders.map(({ directiveId }) => directiveId)).size, 4);
  await run(['condemn', GPU, '--reason', 'x', '--id', 'mine'], { dataDir });
  assert.equal(engine.orders.at(-1)?.directiveId, 'mine');
  assert.deepEqual(engine.orders.at(-1)?.evidence, []);
  await run(['quarantine', GPU, '--reason', 'x', '--evidence', 'INC-17', '--evidence', 'entry 42'], { dataDir });
  assert.deepEqual(engine.orders.at(-1)?.evidence, ['INC-17', 'entry 42']);
});

test('an order may wait for another operator, who lists, approves and rejects what waits', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine().start();
  const dataDir = installation(folder.path, engine.address);
  const order = ['condemn', GPU, '--reason', 'x', '--id', 'mine', '--requires-approval'];
  const waits = await run(order, { dataDir });
  assert.match(waits.stdout, /^CONDEMN waits for approval: mine\n {2}device {3}GPU-8932f937/);
  assert.equal(engine.orders.at(-1)?.requiresApproval, true);
  assert.match((await run(['quarantine', 'pending'], { dataDir })).stdout, /^Nothing waits for approval/);
  engine.pending = ['a', 'b', 'c'].map((directiveId) => pendingSample({ directiveId, evidence: ['INC-17', 'fan'] }));
  const { stdout } = await run(['quarantine', 'pending'], { dataDir });
  assert.match(stdout, /2h ago by the engine: out of service for too long/);
  assert.match(stdout, /sentinel approve c --reason TEXT/);
  assert.match(stdout, / {2}evidence INC-17\n {2}evidence fan\n/);
  const json = JSON.parse((await run(['quarantine', 'pending', '--output', 'json'], { dataDir })).stdout);
  assert.deepEqual(
    [json.pending.length, json.pending[2].action, json.pending[2].cause],
    [3, 'ACTION_CONDEMN', 'CAUSE_MAX_QUARANTINE'],
  );
  const approved = await run(['approve', 'a', '--reason', 'seen'], { dataDir });
  assert.deepEqual([approved.status, /SUSPECT -> QUARANTINED/.test(approved.stdout)], [0, true]);
  assert.match(
    (await run(['reject', 'b', '--reason', 'no'], { dataDir })).stdout,
    /b is rejected\. The evidence stays/,
  );
  assert.deepEqual(engine.answers, ['approve a seen', 'reject b no']);
  for (const argv of [
    ['approve', 'a'],
    ['reject', '--reason', 'x'],
  ])
    assert.equal((await run(argv, { dataDir })).status, 2);
});

test('operators pause, resume and schedule the probing', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine().start();
  const dataDir = installation(folder.path, engine.address);
  const file = folder.join('night.yaml');
  writeFileSync(file, 'name: night\n');
  const why = ['--reason', 'riser swap'];
  const cases: readonly (readonly [RegExp, readonly string[]])[] = [
    [/runs nothing until 1970-01-01 01:30:00Z/, ['gpus', 'pause', GPU, '--for', '90m', ...why]],
    [/runs nothing until it is resumed/, ['gpus', 'pause', GPU, ...why]],
    [/is tested again/, ['gpus', 'resume', GPU, ...why]],
    [/node-1 follows this schedule, version 7/, ['schedule', 'set', 'node-1', file, ...why]],
    [/node-1 follows its own file again/, ['schedule', 'clear', 'node-1', ...why]],
  ];
  for (const [expected, argv] of cases) {
    const { status, stdout, stderr } = await run(argv, { dataDir });
    assert.deepEqual([status, expected.test(stdout)], [0, true], stdout + stderr);
  }
  const reason = 'riser swap';
  assert.deepEqual(engine.controls, [
    { gpu: GPU, durationMs: 5_400_000n, reason },
    { gpu: GPU, durationMs: 0n, reason },
    { gpu: GPU, reason },
    { node: 'node-1', yaml: 'name: night\n', reason },
    { node: 'node-1', yaml: '', reason },
  ]);
  for (const argv of [
    ['gpus', 'pause', GPU],
    ['gpus', 'pause', GPU, '--for', '0m', ...why],
    ['schedule', 'set', 'n', '/nowhere', ...why],
  ]) {
    assert.equal((await run(argv, { dataDir })).status, 2);
  }
});

test('exit statuses: 1 no, 2 usage, 69 away, 77 denied, 78 configuration', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine().start();
  const dataDir = installation(folder.path, engine.address);
  const bad = folder.join('bad.token');
  writeFileSync(bad, 'wrong\n');
  const order = ['quarantine', GPU, '--reason', 'x'];
  const cases: readonly (readonly [number, RegExp, readonly string[]])[] = [
    [1, /no device GPU-none is registered\. List them\./, ['gpus', 'show', 'GPU-none']],
    [2, /missing required argument/, ['gpus', 'show']],
    [2, /unknown command/, ['nonsense']],
    [2, /required option '--reason/, ['quarantine', GPU]],
    [2, /--state takes one of healthy/, ['gpus', 'list', '--state', 'ill']],
    [2, /--limit takes/, ['gpus', 'history', GPU, '--limit', '0']],
    [2, /--since takes/, ['audit', 'query', '--since', 'never']],
    [2, /--engine takes HOST:PORT/, ['status', '--engine', 'here']],
    [2, /belong together/, ['status', '--tls-ca', bad]],
    [2, /no note verifier key/, ['audit', 'verify', '--key', 'x']],
    [
      69,
      /engine at 127\.0\.0\.1:1 cannot be reached \(nothing listens there\)\. Start it with npm start/,
      ['gpus', 'list', '--engine', NOBODY],
    ],
    [69, /audit ledger at .* cannot be reached/, ['audit', 'query']],
    [69, /there is no .*endpoints\.json\. Run npm start first/, ['gpus', 'list', '--data', folder.join('empty')]],
    [77, /no such token/, [...order, '--token-file', bad]],
    [77, /not sent in the clear/, [...order, '--engine', 'gpu-node.example:50051']],
    [78, /no operator's token/, [...order, '--token-file', folder.join('none')]],
    [
      78,
      /cannot read .*bad\.pem/,
      ['gpus', 'list', '--tls-ca', bad, '--tls-cert', folder.join('bad.pem'), '--tls-key', bad],
    ],
  ];
  for (const [status, pattern, argv] of cases) {
    const found = await run(argv, { dataDir });
    assert.equal(found.status, status, `${argv.join(' ')}: ${found.stderr}`);
    assert.match(found.stderr, pattern);
    assert.equal(found.stdout, '');
  }
  assert.deepEqual(engine.orders, []);
});

test('a refusal keeps the words of the service; a lost answer names the id to repeat', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine().start();
  const dataDir = installation(folder.path, engine.address);
  engine.failure = new SentinelError({ code: 'FAILED_PRECONDITION', message: 'a condemned device stays so' });
  const refused = await run(['reinstate', GPU, '--reason', 'x'], { dataDir });
  assert.deepEqual([refused.status, refused.stderr], [1, 'sentinel: a condemned device stays so\n']);
  engine.failure = new SentinelError({ code: 'UNAVAILABLE', message: 'the database did not answer', hint: 'Wait.' });
  const lost = await run(['reinstate', GPU, '--reason', 'x', '--id', 'mine'], { dataDir });
  assert.equal(lost.status, 69);
  assert.match(lost.stderr, /--id mine[\s\S]*sentinel: the database did not answer\. Wait\./);
});

test('a broken file of endpoints is a configuration error', async () => {
  await using folder = await temporaryFolder();
  const dataDir = installation(folder.path, NOBODY);
  for (const text of ['{', 'null', '{"engine":{}}']) {
    writeFileSync(join(dataDir, ENDPOINTS_FILE), text);
    assert.equal((await run(['status'], { dataDir })).status, 78);
  }
});

test('status shows what is up, and ends with 69 while something is down', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine().start();
  const dataDir = installation(folder.path, engine.address);
  const { status, stdout } = await run(['status'], { dataDir });
  assert.equal(status, 69);
  assert.match(stdout, /^Engine +up at/);
  assert.match(stdout, /Ledger +down: the audit ledger/);
  assert.match(stdout, /QUARANTINED/);
  const json = JSON.parse((await run(['status', '--output', 'json'], { dataDir })).stdout) as {
    engine: { ok: boolean };
    ledger: { ok: boolean };
  };
  assert.deepEqual([json.engine.ok, json.ledger.ok], [true, false]);
});

test('help documents exit statuses and the JSON', async () => {
  const { status, stdout } = await run(['--help']);
  assert.equal(status, 0);
  assert.match(stdout, /Exit status: 0 ok/);
  assert.match(stdout, /audit verify +\{ok, key/);
});

test('trust shows the least trusted first, with whom they disagreed, and what canaries said', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine().start();
  const dataDir = installation(folder.path, engine.address);
  assert.match((await run(['trust'], { dataDir })).stdout, /^No devices have been compared yet/);
  const [bad, good, other] = ['GPU-aaaa', 'GPU-bbbb', 'GPU-cccc'];
  const gpus = [bad, good, other];
  const canary = { canaryId: 'c', family: ProbeFamily.FMA32, gpus, openedUs: 0n, closedUs: 1n };
  engine.trust = {
    ...engine.trust,
    devices: [
      { gpu: bad, node: 'n1', agreed: 0n, disagreed: 2n, trust: 0.25 },
      { gpu: good, node: 'n2', agreed: 1n, disagreed: 1n, trust: 0.5 },
    ],
    edges: [
      { gpuA: bad, gpuB: good, agreed: 0n, disagreed: 1n, lastUs: 1n },
      { gpuA: good, gpuB: other, agreed: 1n, disagreed: 0n, lastUs: 1n },
    ],
    canaries: [
      { ...canary, outcome: Outcome.DISSENT, dissenters: [bad], silent: [] },
      { ...canary, outcome: Outcome.TIMEOUT, dissenters: [], silent: [other] },
    ],
    edgeCount: 2,
  };
  const { stdout } = await run(['trust', bad, '--limit', '7'], { dataDir });
  assert.deepEqual([engine.trustQuestions.at(-1)?.gpu, engine.trustQuestions.at(-1)?.limit], [bad, 7]);
  assert.match(stdout, /GPU-aaaa +n1 +0\.250 +0 +2/);
  assert.match(stdout, /GPU-aaaa +GPU-bbbb +1 of 1/);
  assert.doesNotMatch(stdout, /GPU-bbbb +GPU-cccc/);
  assert.match(stdout, /fma32 +outvoted +GPU-aaaa/);
  assert.match(stdout, /no vote +no answer from GPU-cccc/);
  const json = JSON.parse((await run(['trust', '--output', 'json'], { dataDir })).stdout);
  assert.deepEqual([json.devices[0].gpu, json.canaries[0].outcome], [bad, 'OUTCOME_DISSENT']);
  assert.equal((await run(['trust', '--limit', '0'], { dataDir })).status, 2);
});

test('what was stored with orders to terminals is shown to a person, and given to scripts as it is', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine().start();
  const dataDir = installation(folder.path, engine.address);
  const clears = '\u001b[2J\u001b[1;1H\u009b1mstate HEALTHY';
  engine.pending = [pendingSample({ directiveId: clears, reason: clears, evidence: [clears], proposedBy: clears })];
  const { stdout } = await run(['quarantine', 'pending'], { dataDir });
  assert.doesNotMatch(stdout, /[^\P{Cc}\n]/u);
  assert.equal(stdout.split('\\x1b[2J\\x1b[1;1H').length, 6);
  const asJson = await run(['quarantine', 'pending', '--json'], { dataDir });
  assert.doesNotMatch(asJson.stdout, /[^\P{Cc}\n]/u);
  assert.equal((JSON.parse(asJson.stdout) as { pending: { reason: string }[] }).pending[0]?.reason, clears);
  engine.failure = new SentinelError({ code: 'NOT_FOUND', message: clears, field: 'gpu', hint: clears });
  assert.doesNotMatch((await run(['gpus', 'show', GPU], { dataDir })).stderr, /[^\P{Cc}\n]/u);
});

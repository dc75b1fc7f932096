import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ProbeFamily, ProbeResult, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import { type Directive, DirectiveStatus_State as State } from '@sentinel/contracts/sentinel/v1/control.js';
import { AgentEvent_Kind as Kind, type ProbeBatch } from '@sentinel/contracts/sentinel/v1/probe.js';
import { makeCertificates } from '@sentinel/test-kit';
import type { AckLine } from './spool/ack-journal.js';
import { AgentProcess, TEST_KEY } from './testing/agent-process.js';
import { EngineStub } from './testing/engine-stub.js';
import { temporaryFolder } from './testing/folder.js';
import { until } from './testing/until.js';

const root = temporaryFolder();
const FAULT = 'core=1,family=fma32,rate=0.01';

interface Stand {
  readonly engine: EngineStub;
  readonly agent: AgentProcess;
  readonly config: Record<string, unknown>;
}

async function stand(t: TestContext): Promise<Stand> {
  const engine = new EngineStub(TEST_KEY);
  await engine.start();
  const agent = new AgentProcess(mkdtempSync(join(root, 'agent-')));
  t.after(async () => {
    await agent.end('SIGKILL');
    await engine.stop();
  });
  return { engine, agent, config: { correlation_engine_endpoint: engine.address } };
}

function schedule(folder: string, line: string): string {
  const file = join(folder, 'schedule.yaml');
  writeFileSync(file, `name: test\ndescription: for a test\noverhead_budget_pct: 5\nprobes:\n  - ${line}\n`);
  return file;
}

function batches(engine: EngineStub): ProbeBatch[] {
  return [...engine.distinct().values()].flatMap(({ payload: { body } }) =>
    body?.$case === 'probeBatch' ? [body.value] : [],
  );
}

/** Rows of one kind: [epoch, index, family]. */
function seeds(engine: EngineStub, kind: RunKind): string[] {
  return batches(engine).flatMap((batch) =>
    batch.kind.flatMap((value, row) =>
      value === kind ? [`${batch.family[row]}/${batch.epoch[row]}/${batch.index[row]}`] : [],
    ),
  );
}

function events(engine: EngineStub): Kind[] {
  return [...engine.distinct().values()].flatMap(({ payload: { body } }) =>
    body?.$case === 'events' ? body.value.events.map(({ kind }) => kind) : [],
  );
}

function burst(device: string, executions: number, windowMs: number, id = 'burst-1'): Directive {
  return {
    id,
    deviceId: device,
    work: { $case: 'burst', value: { family: ProbeFamily.FMA32, sm: 0, executions, windowMs } },
  };
}

test('a mismatch arrives within seconds of the start, with rerun, siblings and detail of the failing execution', async (t) => {
  const { engine, agent, config } = await stand(t);
  const startMs = performance.now();
  agent.start(config, { inject: FAULT });
  const batch = await until('a mismatch', 15_000, () =>
    batches(engine).find(({ mismatches }) => mismatches.length > 0),
  );
  assert.ok(performance.now() - startMs < 15_000);
  assert.deepEqual(batch.kind.slice(0, 2), [RunKind.SCHEDULED, RunKind.RERUN]);
  assert.deepEqual([batch.epoch[0], batch.index[0]], [batch.epoch[1], 0]);
  const [detail] = batch.mismatches;
  assert.ok(detail !== undefined && detail.sm === 1 && detail.mismatchCount > 0);
  assert.deepEqual([detail.siblingsRun, detail.siblingsPassed], [1, 1]);
  assert.notDeepEqual(detail.expected, detail.actual);

  const [hello] = engine.hellos;
  const fma = hello?.devices[0]?.families.find(({ family }) => family === ProbeFamily.FMA32);
  assert.deepEqual([hello?.testBuild, fma?.selfTestSmsRun, fma?.selfTestSmsPassed], [true, 2, 1]);
  assert.ok(events(engine).includes(Kind.SELF_TEST_FAILED));
  const first = await agent.line(
    'the first injected result',
    1_000,
    ({ msg }) => msg === 'first injected wrong result',
  );
  assert.ok(Math.abs(Number(first['atUs']) / 1000 - Date.now()) < 20_000);
  assert.equal(await agent.end('SIGTERM'), 0);
  assert.equal(agent.lines.filter(({ msg }) => msg === 'first injected wrong result').length, 1);
  assert.ok(events(engine).includes(Kind.AGENT_STOPPED), 'what happened last is still delivered');
  assert.deepEqual(engine.violations, []);
});

test('a burst is spread over its window, with seeds of its own, and survives a reconnection', {
  timeout: 60_000,
}, async (t) => {
  const { engine, agent, config } = await stand(t);
  agent.start({ ...config, burst_budget_pct: 20 });
  const [hello] = await until('hello', 10_000, () => engine.hellos.length > 0 && engine.hellos);
  const device = hello?.devices[0]?.id ?? '';
  const directive = burst(device, 200, 6_000);
  engine.directives = [directive];
  const startMs = performance.now();
  engine.send({ $case: 'directive', value: directive });
  await until('half of it', 10_000, () => seeds(engine, RunKind.BURST).length >= 60);
  engine.cut();
  await until('the end', 20_000, () => engine.statuses.some(({ state }) => state === State.DONE));
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs > 5_000 && tookMs < 12_000, `took ${tookMs} ms`);
  await until('delivery', 5_000, () => seeds(engine, RunKind.BURST).length >= 200);
  const all = [...seeds(engine, RunKind.BURST), ...seeds(engine, RunKind.SCHEDULED)];
  assert.equal(seeds(engine, RunKind.BURST).length, 200, 'the repeated directive is not run again');
  assert.equal(new Set(all).size, all.length, 'no two executions share operands');
  const last = engine.statuses.findLast(({ id }) => id === directive.id);
  assert.deepEqual([last?.executions, last?.failures], [200, 0]);

  engine.send({ $case: 'directive', value: burst('CPU-unknown', 5, 100, 'burst-2') });
  const refused = await until('a refusal', 5_000, () => engine.statuses.find(({ id }) => id === 'burst-2'));
  assert.equal(refused.state, State.REFUSED);
  engine.send({ $case: 'directive', value: burst(device, 1_000, 60_000, 'burst-3') });
  await until('its start', 5_000, () => engine.statuses.some(({ id }) => id === 'burst-3'));
  engine.send({ $case: 'cancel', value: { id: 'burst-3' } });
  await until('its end', 5_000, () =>
    engine.statuses.some(({ id, state }) => id === 'burst-3' && state === State.DONE),
  );
});

test('a child that hangs or dies makes results and events of their own kind, and probing goes on', {
  timeout: 60_000,
}, async (t) => {
  const { engine, agent, config } = await stand(t);
  const line = '{ type: FMA, period_seconds: 1, sm_coverage: 1.0, priority: 1, enabled: true, timeout_ms: 400 }';
  agent.start({ ...config, schedule_file: schedule(agent.folder, line) });
  const metrics = await agent.ready();
  const outcomes = () => batches(engine).flatMap((batch) => batch.outcomes.map(({ result }) => result));
  const passes = () => batches(engine).reduce((sum, batch) => sum + batch.smsRun.reduce((a, b) => a + b, 0), 0);
  const childPid = () => Number(readFileSync(`/proc/${agent.pid}/task/${agent.pid}/children`, 'utf8').trim());
  await until('passes', 10_000, () => passes() >= 4);

  process.kill(childPid(), 'SIGSTOP');
  await until('timeouts', 10_000, () => outcomes().includes(ProbeResult.TIMEOUT));
  await until('its event', 5_000, () => events(engine).includes(Kind.CHILD_TIMEOUT));
  let before = passes();
  await until('passes of the new child', 10_000, () => passes() > before);

  process.kill(childPid(), 'SIGKILL');
  await until('its event', 10_000, () => events(engine).includes(Kind.CHILD_CRASHED));
  // What the dead one computed may still be on its way.
  await until('the next child', 10_000, () => childPid() > 0);
  before = passes();
  await until('passes of the next child', 10_000, () => passes() > before);
  assert.ok(outcomes().every((result) => result !== ProbeResult.PASS));
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  assert.match(text, /sentinel_agent_child_failures_total\{kind="timeout"\} 1/);
  assert.match(text, /sentinel_agent_child_failures_total\{kind="crashed"\} 1/);
  assert.match(text, /sentinel_agent_child_restarts 2/);
  assert.match(text, /sentinel_probe_results_total\{probe="FMA",family="[a-z0-9_]+",result="TIMEOUT"\} [1-9]/);
});

test('kill -9 loses no record and gives no sequence two contents; the journal tells every acknowledged run', {
  timeout: 60_000,
}, async (t) => {
  const { engine, agent, config } = await stand(t);
  const line = '{ type: FMA, period_seconds: 1, sm_coverage: 1.0, priority: 1, enabled: true, timeout_ms: 5000 }';
  const settings = { ...config, schedule_file: schedule(agent.folder, line), spool: { ack_journal: true } };
  for (let life = 0; life < 4; life++) {
    const seen = engine.received.length;
    agent.start(settings, { inject: FAULT });
    await until('records', 10_000, () => engine.received.length >= seen + 2 + life);
    await agent.end('SIGKILL');
  }
  agent.start(settings, { inject: FAULT });
  await until(
    'delivery',
    10_000,
    () => engine.hellos.length === 5 && engine.committed >= (engine.hellos[4]?.lastSequence ?? 0n),
  );
  await agent.end('SIGTERM');

  assert.deepEqual(engine.violations, []);
  const contents = new Map<bigint, string>();
  for (const { sequence, bytes } of engine.received) {
    const text = bytes.toString('hex');
    assert.equal(contents.get(sequence) ?? text, text, `sequence ${sequence} has two contents`);
    contents.set(sequence, text);
  }
  assert.equal(BigInt(contents.size), engine.committed, 'no sequence is missing');
  assert.equal(new Set(engine.hellos.map(({ spoolId }) => Buffer.from(spoolId).toString('hex'))).size, 1);
  const scheduled = seeds(engine, RunKind.SCHEDULED);
  assert.equal(new Set(scheduled).size, scheduled.length, 'no seed is used twice across restarts');

  const journal = readFileSync(join(agent.folder, 'data/node-1/acks.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as AckLine);
  for (const { sequence, runs } of journal) {
    const { payload } = engine.distinct().get(BigInt(sequence)) ?? {};
    const batch = payload?.body?.$case === 'probeBatch' ? payload.body.value : undefined;
    assert.deepEqual(
      runs.map(({ epoch }) => epoch),
      batch?.epoch ?? [],
    );
    assert.deepEqual(
      runs.map(({ smsRun }) => smsRun),
      batch?.smsRun ?? [],
    );
  }
  assert.deepEqual(
    journal.map(({ sequence }) => sequence),
    journal.map((_, k) => k + 1),
  );
});

test('a pause and a schedule of the engine hold after kill -9, while the engine is away', {
  timeout: 60_000,
}, async (t) => {
  const { engine, agent, config } = await stand(t);
  const line = '{ type: FMA, period_seconds: 1, sm_coverage: 1.0, priority: 1, enabled: true, timeout_ms: 5000 }';
  const settings = { ...config, schedule_file: schedule(agent.folder, line) };
  agent.start(settings);
  await until('runs', 10_000, () => batches(engine).length > 0);
  const deviceId = engine.hellos[0]?.devices[0]?.id ?? '';
  const yaml = 'name: night\nprobes:\n  - { type: AES, period_seconds: 30 }\n';
  engine.send({ $case: 'pause', value: { devices: [{ deviceId, untilUs: 0n, reason: 'riser swap' }] } });
  engine.send({ $case: 'schedule', value: { yaml, version: '7' } });
  await until('both', 10_000, () => events(engine).includes(Kind.SCHEDULE_CHANGED));
  await agent.end('SIGKILL');
  await engine.stop();

  agent.lines.length = 0;
  agent.start(settings);
  const metrics = await agent.ready();
  await agent.line('the pause', 5_000, ({ msg }) => msg.includes('is paused: riser swap'));
  await agent.line('the schedule', 5_000, ({ msg }) => msg.includes('night, version 7, from the engine'));
  await delay(1_500);
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  assert.match(text, /sentinel_agent_paused_devices 1/);
  assert.doesNotMatch(text, /sentinel_probe_results_total\{.*\} [1-9]/);
});

test('the same over mutual TLS; an agent with a certificate of another authority says which keys to check', {
  timeout: 30_000,
}, async (t) => {
  const engine = new EngineStub(TEST_KEY);
  const files = await makeCertificates(join(root, 'certs'), 'probe-agent', 'correlation-engine');
  const foreign = await makeCertificates(join(root, 'foreign'), 'probe-agent');
  await engine.start('127.0.0.1:0', files['correlation-engine']);
  const agent = new AgentProcess(mkdtempSync(join(root, 'agent-')));
  t.after(async () => {
    await agent.end('SIGKILL');
    await engine.stop();
  });
  const configWith = ({ certFile, keyFile }: { certFile: string; keyFile: string }) => ({
    correlation_engine_endpoint: engine.address,
    tls: { enabled: true, cert_file: certFile, key_file: keyFile, ca_file: files['probe-agent'].caFile },
  });
  agent.start(configWith(foreign['probe-agent']));
  await agent.line('a refused certificate', 10_000, ({ level, msg }) => level === 'warn' && /the engine at/.test(msg));
  assert.equal(engine.hellos.length, 0);
  await agent.end('SIGTERM');
  agent.start(configWith(files['probe-agent']));
  await until('results', 10_000, () => batches(engine).length > 0);
  assert.deepEqual(engine.violations, []);
});

test('the daemon and its child stay small', { timeout: 30_000 }, async (t) => {
  const { engine, agent, config } = await stand(t);
  agent.start(config);
  const metrics = await agent.ready();
  await until('passes', 10_000, () => batches(engine).length >= 2);
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  assert.ok(value('process_resident_memory_bytes') < 100e6, `daemon ${value('process_resident_memory_bytes')}`);
  assert.ok(value('sentinel_agent_child_memory_bytes') < 60e6, `child ${value('sentinel_agent_child_memory_bytes')}`);
  assert.equal(value('sentinel_agent_connected_gpus'), 1);
  assert.equal(value('sentinel_agent_grpc_stream_active'), 1);
});

test('a taken metrics port warns and is tried again; probing goes on', { timeout: 30_000 }, async (t) => {
  const { engine, agent, config } = await stand(t);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const bound = other.address();
  const port = typeof bound === 'object' ? bound?.port : 0;
  agent.start({ ...config, metrics: { listen_address: `127.0.0.1:${port}` } });
  await agent.line('a warning', 10_000, ({ level, msg }) => level === 'warn' && /metrics cannot listen/.test(msg));
  await until('passes', 10_000, () => batches(engine).length >= 1);
  other.close();
  await until('metrics', 10_000, () => agent.lines.length > 0);
  const answer = async () => (await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined))?.status;
  let status: number | undefined;
  for (let tries = 0; tries < 40 && status !== 200; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    status = await answer();
  }
  assert.equal(status, 200);
});

test('a second agent of the same node is turned away with a sentence', { timeout: 30_000 }, async (t) => {
  const { agent, config } = await stand(t);
  agent.start(config);
  await agent.ready();
  const second = new AgentProcess(agent.folder);
  const child = second.start(config);
  await new Promise((resolve) => child.once('close', resolve));
  assert.match(second.stdout, /another process uses/);
  assert.notEqual(child.exitCode, 0);
});

test('an agent is not stuck behind what a killed test build left in its spool', { timeout: 60_000 }, async (t) => {
  const { engine, agent, config } = await stand(t);
  engine.acknowledging = false;
  agent.start(config, { inject: FAULT });
  await until('injected results', 15_000, () => batches(engine).some(({ mismatches }) => mismatches.length > 0));
  await agent.end('SIGKILL');
  const left = [...engine.distinct().keys()].at(-1) ?? 0n;
  Object.assign(engine, { acknowledging: true, refusingTestBuilds: true });
  engine.received.length = 0;
  agent.start(config);
  const honest = await until('results of the new agent', 15_000, () => {
    const found = [...engine.distinct().values()].filter(({ payload }) => !payload.testBuild);
    return found.some(({ payload }) => payload.body?.$case === 'probeBatch') && found;
  });
  assert.ok(honest.every(({ sequence }) => sequence > left));
  const given = [...engine.distinct().values()].filter(({ payload }) => payload.testBuild);
  assert.ok(given.length >= Number(left), 'each sequence is accounted for');
  assert.ok(given.every(({ payload: { body } }) => body?.$case === 'gap'));
  assert.ok(given.some(({ payload: { body } }) => body?.$case === 'gap' && body.value.mismatches > 0));
  await agent.line('that it was given up', 1_000, ({ msg }) => msg.includes('only its counts are sent'));
  assert.deepEqual(engine.violations, []);
});

test('a canary is executed on every core with the seed of the engine, and its digests go up', async (t) => {
  const { engine, agent, config } = await stand(t);
  agent.start(config);
  const [hello] = await until('hello', 10_000, () => engine.hellos.length > 0 && engine.hellos);
  const device = hello?.devices[0];
  const canary = { family: ProbeFamily.FMA32, epoch: 170_000_000, index: 2 ** 31 + 7, canaryId: 'c' };
  const directive: Directive = { id: 'c-1', deviceId: device?.id ?? '', work: { $case: 'canary', value: canary } };
  engine.send({ $case: 'directive', value: directive });
  const batch = await until('its run', 15_000, () => batches(engine).find(({ canaries }) => canaries.length > 0));
  const row = batch.canaries[0]?.run ?? -1;
  assert.deepEqual(
    [batch.kind[row], batch.epoch[row], batch.index[row], batch.directiveIds[(batch.directiveIndex[row] ?? 0) - 1]],
    [RunKind.CANARY, canary.epoch, canary.index, 'c-1'],
  );
  const golden = batch.goldenDigest[row];
  assert.deepEqual(
    batch.canaries[0]?.digests,
    device?.sms.map(() => golden),
  );
  await until('its end', 5_000, () => engine.statuses.some(({ id, state }) => id === 'c-1' && state === State.DONE));
});

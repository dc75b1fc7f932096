import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ProbeFamily, ProbeResult, RunKind } from '@sentinel/contracts/sentinel/v1/common.js';
import { type Directive, type Hello, DirectiveStatus_State as State } from '@sentinel/contracts/sentinel/v1/control.js';
import { AgentEvent_Kind as Kind, type ProbeBatch } from '@sentinel/contracts/sentinel/v1/probe.js';
import { eventually, freePort, makeCertificates } from '@sentinel/test-kit';
import type { AckLine } from './spool/ack-journal.js';
import { AgentProcess, TEST_KEY } from './testing/agent-process.js';
import { EngineStub } from './testing/engine-stub.js';
import { temporaryFolder } from './testing/folder.js';
import { until } from './testing/until.js';

const root = temporaryFolder();
/** For whatever is waited for: on a busy machine an agent alone takes many seconds to start. */
const PATIENCE_MS = 60_000;
/** Of a whole test. */
const TEST_MS = 600_000;
/** A child that does not answer for so long hangs; one that a busy machine holds up does not. */
const HANG_MS = 10_000;
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

test('a mismatch arrives soon after the start, with rerun, siblings and detail of the failing execution', async (t) => {
  const { engine, agent, config } = await stand(t);
  agent.start(config, { inject: FAULT });
  const batch = await until('a mismatch', PATIENCE_MS, () =>
    batches(engine).find(({ mismatches }) => mismatches.length > 0),
  );
  assert.deepEqual(batch.kind.slice(0, 2), [RunKind.SCHEDULED, RunKind.RERUN]);
  assert.deepEqual([batch.epoch[0], batch.index[0]], [batch.epoch[1], 0]);
  const [detail] = batch.mismatches;
  assert.ok(detail !== undefined && detail.sm === 1 && detail.mismatchCount > 0);
  assert.deepEqual([detail.siblingsRun, detail.siblingsPassed], [1, 1]);
  assert.notDeepEqual(detail.expected, detail.actual);

  const fmaOf = ({ devices }: Hello) => devices[0]?.families.find(({ family }) => family === ProbeFamily.FMA32);
  const hello = await until('a hello with all known answers', PATIENCE_MS, () =>
    engine.hellos.find((said) => fmaOf(said)?.selfTestSmsRun === 2),
  );
  assert.deepEqual([hello.testBuild, fmaOf(hello)?.selfTestSmsPassed], [true, 1]);
  assert.ok(events(engine).includes(Kind.SELF_TEST_FAILED));
  const first = await agent.line(
    'the first injected result',
    PATIENCE_MS,
    ({ msg }) => msg === 'first injected wrong result',
  );
  assert.ok(Math.abs(Number(first['atUs']) / 1000 - Date.now()) < 2 * PATIENCE_MS);
  assert.equal(await agent.end('SIGTERM'), 0);
  assert.equal(agent.lines.filter(({ msg }) => msg === 'first injected wrong result').length, 1);
  assert.ok(events(engine).includes(Kind.AGENT_STOPPED), 'what happened last is still delivered');
  assert.deepEqual(engine.violations, []);
});

test('a burst is spread over its window, with seeds of its own, and survives a reconnection', {
  timeout: TEST_MS,
}, async (t) => {
  const { engine, agent, config } = await stand(t);
  agent.start({ ...config, burst_budget_pct: 20 });
  const [hello] = await until('hello', PATIENCE_MS, () => engine.hellos.length > 0 && engine.hellos);
  const device = hello?.devices[0]?.id ?? '';
  const directive = burst(device, 200, 6_000);
  engine.directives = [directive];
  const startMs = performance.now();
  engine.send({ $case: 'directive', value: directive });
  await until('half of it', PATIENCE_MS, () => seeds(engine, RunKind.BURST).length >= 60);
  engine.cut();
  await until('the end', PATIENCE_MS, () => engine.statuses.some(({ state }) => state === State.DONE));
  const tookMs = performance.now() - startMs;
  // How much longer it takes is for the machine to say: what its budget does not allow waits.
  assert.ok(tookMs > 5_000, `took ${tookMs} ms`);
  await until('delivery', PATIENCE_MS, () => seeds(engine, RunKind.BURST).length >= 200);
  const all = [...seeds(engine, RunKind.BURST), ...seeds(engine, RunKind.SCHEDULED)];
  assert.equal(seeds(engine, RunKind.BURST).length, 200, 'the repeated directive is not run again');
  assert.equal(new Set(all).size, all.length, 'no two executions share operands');
  const last = engine.statuses.findLast(({ id }) => id === directive.id);
  assert.deepEqual([last?.executions, last?.failures], [200, 0]);

  engine.send({ $case: 'directive', value: burst('CPU-unknown', 5, 100, 'burst-2') });
  const refused = await until('a refusal', PATIENCE_MS, () => engine.statuses.find(({ id }) => id === 'burst-2'));
  assert.equal(refused.state, State.REFUSED);
  engine.send({ $case: 'directive', value: burst(device, 1_000, 60_000, 'burst-3') });
  await until('its start', PATIENCE_MS, () => engine.statuses.some(({ id }) => id === 'burst-3'));
  engine.send({ $case: 'cancel', value: { id: 'burst-3' } });
  await until('its end', PATIENCE_MS, () =>
    engine.statuses.some(({ id, state }) => id === 'burst-3' && state === State.DONE),
  );
});

test('a child that hangs or dies makes results and events of their own kind, and probing goes on', {
  timeout: TEST_MS,
}, async (t) => {
  const { engine, agent, config } = await stand(t);
  const line = `{ type: FMA, period_seconds: 1, sm_coverage: 1.0, priority: 1, enabled: true, timeout_ms: ${HANG_MS} }`;
  agent.start({ ...config, schedule_file: schedule(agent.folder, line) });
  const metrics = await agent.ready();
  const outcomes = () => batches(engine).flatMap((batch) => batch.outcomes.map(({ result }) => result));
  const passes = () => batches(engine).reduce((sum, batch) => sum + batch.smsRun.reduce((a, b) => a + b, 0), 0);
  const childPid = () => Number(readFileSync(`/proc/${agent.pid}/task/${agent.pid}/children`, 'utf8').trim());
  // Nobody is 0: a signal to it would go to this process too.
  const child = () => until('a child', PATIENCE_MS, () => childPid() > 0 && childPid());
  await until('passes', PATIENCE_MS, () => passes() >= 4);

  process.kill(await child(), 'SIGSTOP');
  await until('timeouts', PATIENCE_MS, () => outcomes().includes(ProbeResult.TIMEOUT));
  await until('its event', PATIENCE_MS, () => events(engine).includes(Kind.CHILD_TIMEOUT));
  let before = passes();
  await until('passes of the new child', PATIENCE_MS, () => passes() > before);

  process.kill(await child(), 'SIGKILL');
  await until('its event', PATIENCE_MS, () => events(engine).includes(Kind.CHILD_CRASHED));
  // What the dead one computed may still be on its way.
  await child();
  before = passes();
  await until('passes of the next child', PATIENCE_MS, () => passes() > before);
  assert.ok(outcomes().every((result) => result !== ProbeResult.PASS));
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  assert.match(text, /sentinel_agent_child_failures_total\{kind="timeout"\} 1/);
  assert.match(text, /sentinel_agent_child_failures_total\{kind="crashed"\} 1/);
  assert.match(text, /sentinel_agent_child_restarts 2/);
  assert.match(text, /sentinel_probe_results_total\{probe="FMA",family="[a-z0-9_]+",result="TIMEOUT"\} [1-9]/);
});

test('kill -9 loses no record and gives no sequence two contents; the journal tells every acknowledged run', {
  timeout: TEST_MS,
}, async (t) => {
  const { engine, agent, config } = await stand(t);
  const line = '{ type: FMA, period_seconds: 1, sm_coverage: 1.0, priority: 1, enabled: true, timeout_ms: 5000 }';
  const settings = { ...config, schedule_file: schedule(agent.folder, line), spool: { ack_journal: true } };
  for (let life = 0; life < 4; life++) {
    const seen = engine.received.length;
    agent.start(settings, { inject: FAULT });
    await until('records', PATIENCE_MS, () => engine.received.length >= seen + 2 + life);
    await agent.end('SIGKILL');
  }
  const lives = engine.hellos.length;
  agent.start(settings, { inject: FAULT });
  await until(
    'delivery',
    PATIENCE_MS,
    () => engine.hellos.length > lives && engine.committed >= (engine.hellos[lives]?.lastSequence ?? 0n),
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
  timeout: TEST_MS,
}, async (t) => {
  const { engine, agent, config } = await stand(t);
  const line = '{ type: FMA, period_seconds: 1, sm_coverage: 1.0, priority: 1, enabled: true, timeout_ms: 5000 }';
  const settings = { ...config, schedule_file: schedule(agent.folder, line) };
  agent.start(settings);
  await until('runs', PATIENCE_MS, () => batches(engine).length > 0);
  const deviceId = engine.hellos[0]?.devices[0]?.id ?? '';
  const yaml = 'name: night\nprobes:\n  - { type: AES, period_seconds: 30 }\n';
  engine.send({ $case: 'pause', value: { devices: [{ deviceId, untilUs: 0n, reason: 'riser swap' }] } });
  engine.send({ $case: 'schedule', value: { yaml, version: '7' } });
  await until('both', PATIENCE_MS, () => events(engine).includes(Kind.SCHEDULE_CHANGED));
  await agent.end('SIGKILL');
  await engine.stop();

  agent.lines.length = 0;
  agent.start(settings);
  const metrics = await agent.ready();
  await agent.line('the pause', PATIENCE_MS, ({ msg }) => msg.includes('is paused: riser swap'));
  await agent.line('the schedule', PATIENCE_MS, ({ msg }) => msg.includes('night, version 7, from the engine'));
  await delay(1_500);
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  assert.match(text, /sentinel_agent_paused_devices 1/);
  assert.doesNotMatch(text, /sentinel_probe_results_total\{.*\} [1-9]/);
});

test('the same over mutual TLS; an agent with a certificate of another authority says which keys to check', {
  timeout: TEST_MS,
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
  await agent.line(
    'a refused certificate',
    PATIENCE_MS,
    ({ level, msg }) => level === 'warn' && /the engine at/.test(msg),
  );
  assert.equal(engine.hellos.length, 0);
  await agent.end('SIGTERM');
  agent.start(configWith(files['probe-agent']));
  await until('results', PATIENCE_MS, () => batches(engine).length > 0);
  assert.deepEqual(engine.violations, []);
});

test('the daemon and its child stay small', { timeout: TEST_MS }, async (t) => {
  const { engine, agent, config } = await stand(t);
  agent.start(config);
  const metrics = await agent.ready();
  await until('passes', PATIENCE_MS, () => batches(engine).length >= 2);
  const text = await (await fetch(`http://${metrics}/metrics`)).text();
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  assert.ok(value('process_resident_memory_bytes') < 100e6, `daemon ${value('process_resident_memory_bytes')}`);
  assert.ok(value('sentinel_agent_child_memory_bytes') < 60e6, `child ${value('sentinel_agent_child_memory_bytes')}`);
  assert.equal(value('sentinel_agent_connected_gpus'), 1);
  assert.equal(value('sentinel_agent_grpc_stream_active'), 1);
});

test('a taken metrics port warns and is tried again; probing goes on', { timeout: TEST_MS }, async (t) => {
  const { engine, agent, config } = await stand(t);
  const other = createServer();
  // Not of the system's choice: what it gives away could be another's once it is free.
  const port = await freePort();
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  agent.start({ ...config, metrics: { listen_address: `127.0.0.1:${port}` } });
  await agent.line('a warning', PATIENCE_MS, ({ level, msg }) => level === 'warn' && /metrics cannot listen/.test(msg));
  await until('passes', PATIENCE_MS, () => batches(engine).length >= 1);
  other.close();
  await eventually(async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).status === 200, {
    what: 'metrics are served',
    timeoutMs: PATIENCE_MS,
  });
});

test('a second agent of the same node is turned away with a sentence', { timeout: TEST_MS }, async (t) => {
  const { agent, config } = await stand(t);
  agent.start(config);
  await agent.ready();
  const second = new AgentProcess(agent.folder);
  const child = second.start(config);
  await new Promise((resolve) => child.once('close', resolve));
  assert.match(second.stdout, /another process uses/);
  assert.notEqual(child.exitCode, 0);
});

test('an agent is not stuck behind what a killed test build left in its spool', { timeout: TEST_MS }, async (t) => {
  const { engine, agent, config } = await stand(t);
  engine.acknowledging = false;
  agent.start(config, { inject: FAULT });
  await until('injected results', PATIENCE_MS, () => batches(engine).some(({ mismatches }) => mismatches.length > 0));
  await agent.end('SIGKILL');
  const left = [...engine.distinct().keys()].at(-1) ?? 0n;
  Object.assign(engine, { acknowledging: true, refusingTestBuilds: true });
  engine.received.length = 0;
  agent.start(config);
  const honest = await until('results of the new agent', PATIENCE_MS, () => {
    const found = [...engine.distinct().values()].filter(({ payload }) => !payload.testBuild);
    return found.some(({ payload }) => payload.body?.$case === 'probeBatch') && found;
  });
  assert.ok(honest.every(({ sequence }) => sequence > left));
  const given = [...engine.distinct().values()].filter(({ payload }) => payload.testBuild);
  assert.ok(given.length >= Number(left), 'each sequence is accounted for');
  assert.ok(given.every(({ payload: { body } }) => body?.$case === 'gap'));
  assert.ok(given.some(({ payload: { body } }) => body?.$case === 'gap' && body.value.mismatches > 0));
  await agent.line('that it was given up', PATIENCE_MS, ({ msg }) => msg.includes('only its counts are sent'));
  assert.deepEqual(engine.violations, []);
});

test('a canary is executed on every core with the seed of the engine, and its digests go up', async (t) => {
  const { engine, agent, config } = await stand(t);
  agent.start(config);
  const [hello] = await until('hello', PATIENCE_MS, () => engine.hellos.length > 0 && engine.hellos);
  const device = hello?.devices[0];
  const canary = { family: ProbeFamily.FMA32, epoch: 170_000_000, index: 2 ** 31 + 7, canaryId: 'c' };
  const directive: Directive = { id: 'c-1', deviceId: device?.id ?? '', work: { $case: 'canary', value: canary } };
  engine.send({ $case: 'directive', value: directive });
  const batch = await until('its run', PATIENCE_MS, () => batches(engine).find(({ canaries }) => canaries.length > 0));
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
  await until('its end', PATIENCE_MS, () =>
    engine.statuses.some(({ id, state }) => id === 'c-1' && state === State.DONE),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { eventually, temporaryFolder } from '@sentinel/test-kit';
import { event, FakeEvents } from './testing/fake-events.js';
import { installation, NOBODY } from './testing/installation.js';
import { type Outcome, run } from './testing/run.js';
import { GPU, gpuSample, NOW_US } from './testing/samples.js';
import { FakeEngine } from './testing/services.js';

const AT = { time_us: Number(NOW_US), injected: false, actor: '' };
const suspect = (id = 'f-2'): string =>
  event('state', { gpu: GPU, node: 'n', from: 'HEALTHY', to: 'SUSPECT', reason: 'fma32 on SM 1 failed', ...AT }, id);

/** `sentinel watch` until the end of the test. */
class Watching implements AsyncDisposable {
  stdout = '';
  readonly #stop = new AbortController();
  readonly #outcome: Promise<Outcome>;

  constructor(dataDir: string, argv: readonly string[] = [], columns?: number) {
    this.#outcome = run(['watch', ...argv], {
      dataDir,
      signal: this.#stop.signal,
      ...(columns === undefined ? {} : { columns }),
      onOutput: (stdout) => {
        this.stdout = stdout;
      },
    });
  }

  async until(pattern: RegExp): Promise<void> {
    await eventually(() => pattern.test(this.stdout), { what: `${pattern}`, timeoutMs: 60_000 }).catch(() => {
      throw new Error(`${pattern} is not in ${this.stdout}`);
    });
  }

  /** As Ctrl-C does. */
  async stop(): Promise<Outcome> {
    this.#stop.abort();
    return this.#outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

test('prints states, incidents and directives as they come, and counts from time to time', async () => {
  await using folder = await temporaryFolder();
  const healthy = gpuSample({ state: GpuState.HEALTHY, injected: false, summary: '', directives: [] });
  await using engine = await new FakeEngine([healthy]).start();
  await using events = await new FakeEvents().start();
  await using watching = new Watching(installation(folder.path, engine.address, events.address), ['--interval', '1']);
  await watching.until(/HEALTHY\n/);
  // A look between the event and what it tells must not tell it again.
  engine.gpus = [
    { ...healthy, state: GpuState.SUSPECT, summary: 'burst 1 of 9', failures: 250n, executions: 1_234_667n },
  ];
  await watching.until(/2 wrong of 100 executions/);
  events.send(suspect());
  events.send(
    event('incident', {
      incident: 'incident-1',
      change: 'opened',
      family: 'fma32',
      node: '',
      reason: 'three\u001b[2Jnodes',
      ...AT,
    }),
  );
  events.send(event('directive', { action: 'CORDON', gpu: '', node: 'n', reason: 'x', ...AT }));
  events.send(event('directive', { action: 'QUARANTINE', gpu: GPU, node: 'n', reason: 'x', ...AT }));
  events.send(event('of a later release', {}, 'f-9'));
  await watching.until(/told: QUARANTINE/);
  const { status, stdout, stderr } = await watching.stop();
  assert.deepEqual([status, stderr], [0, '']);
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    `2026-03-01 12:00:00Z  ${GPU}  HEALTHY`,
    `2026-03-01 12:00:00Z  ${GPU}  2 wrong of 100 executions`,
    `2026-03-01 12:00:00Z  ${GPU}  HEALTHY -> SUSPECT: fma32 on SM 1 failed`,
    '2026-03-01 12:00:00Z  incident opened incident-1 fma32: three [2Jnodes',
    '2026-03-01 12:00:00Z  orchestrators are told: CORDON node n',
    `2026-03-01 12:00:00Z  ${GPU}  orchestrators are told: QUARANTINE`,
  ]);
});

test('after an interruption it goes on where it was, and says that it was interrupted', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine([gpuSample()]).start();
  await using events = await new FakeEvents().start();
  await using watching = new Watching(installation(folder.path, engine.address, events.address));
  await watching.until(/QUARANTINED/);
  events.send(suspect('f-5'));
  await watching.until(/HEALTHY -> SUSPECT/);
  events.cut();
  await watching.until(/from here on is told afterwards: no live updates from 127.*\n.*the engine answers again/);
  assert.match(watching.stdout, /\(the connection ended\)/);
  events.send(event('end', { reason: 'this engine stops' }));
  await watching.until(/told afterwards: .* \(this engine stops\)\n.*answers again/);
  assert.deepEqual(events.cursors, ['', 'f-5', 'f-5']);
  events.greeting = () => event('reset', { reason: 'x' }, 'f-90');
  engine.gpus = [gpuSample({ state: GpuState.CONDEMNED })];
  events.cut();
  await watching.until(/not all of what happened meanwhile is known one by one\n.*SUSPECT -> CONDEMNED/);
  events.cut();
  await eventually(() => events.cursors.at(-1) === 'f-90', { what: 'it comes back', timeoutMs: 60_000 });
});

test('counts that cannot be had are said, once, while live updates go on', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine([gpuSample()]).start();
  await using events = await new FakeEvents().start();
  await using watching = new Watching(installation(folder.path, engine.address, events.address), ['--interval', '1']);
  await watching.until(/QUARANTINED/);
  engine.failure = new SentinelError({ code: 'UNAVAILABLE', message: 'no replica decides', hint: 'Wait.' });
  await watching.until(/no replica decides\. Wait\./);
  events.send(suspect());
  await watching.until(/HEALTHY -> SUSPECT/);
  engine.failure = null;
  await watching.until(/answers again/);
  assert.equal(watching.stdout.match(/no replica decides/g)?.length, 1);
});

for (const [what, status, pattern] of [
  ['an older engine', 404, /the fleet is looked at every 2 s: this engine has no live updates, its release is older/],
  [
    'one that refuses',
    429,
    /the fleet is looked at every 2 s: no live updates from \S+ \(too many read already\)\. Ask another\./,
  ],
] as const) {
  test(`${what} is looked at instead, which one sentence says`, async () => {
    await using folder = await temporaryFolder();
    await using engine = await new FakeEngine([gpuSample({ state: GpuState.SUSPECT })]).start();
    await using events = await new FakeEvents().start();
    events.status = status;
    await using watching = new Watching(installation(folder.path, engine.address, events.address));
    await watching.until(pattern);
    engine.failure = new SentinelError({ code: 'UNAVAILABLE', message: 'stopping', hint: 'Wait.' });
    await watching.until(/stopping\. Wait\./);
    engine.failure = null;
    engine.gpus = [gpuSample({ state: GpuState.QUARANTINED })];
    await watching.until(/SUSPECT -> QUARANTINED INJECTED/);
    assert.match(watching.stdout, /SUSPECT INJECTED[\s\S]*stopping[\s\S]*answers again/);
  });
}

test('JSON: one object on a line, with what the engine sent', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine([gpuSample()]).start();
  await using events = await new FakeEvents().start();
  const dataDir = installation(folder.path, engine.address, events.address);
  await using watching = new Watching(dataDir, ['--output', 'json'], 60);
  await watching.until(/QUARANTINED/);
  events.send(suspect());
  await watching.until(/fma32 on SM 1 failed/);
  const lines = watching.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual([...new Set(lines.map((line) => Object.keys(line).join()))], ['timeUs,gpu,text,event,data']);
  const { data, ...rest } = lines.at(-1) ?? {};
  assert.deepEqual(rest, {
    timeUs: AT.time_us,
    gpu: GPU,
    text: 'HEALTHY -> SUSPECT: fma32 on SM 1 failed',
    event: 'state',
  });
  assert.equal((data as { to: string }).to, 'SUSPECT');
});

test('a narrow terminal gets lines that fit', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine([gpuSample()]).start();
  await using events = await new FakeEvents().start();
  const dataDir = installation(folder.path, engine.address, events.address);
  await using watching = new Watching(dataDir, [], 60);
  await watching.until(/QUARANTINED/);
  events.send(suspect());
  await watching.until(/failed/);
  const widths = watching.stdout.split('\n').map((line) => line.length);
  assert.ok(Math.max(...widths) <= 60 && widths.length > 4, watching.stdout);
  assert.match(watching.stdout, /^2026-03-01 12:00:00Z GPU-8932f937 HEALTHY -> SUSPECT:$\n^ {4}fma32 on SM 1 failed$/m);
});

test('a large fleet is shown at first by the devices that need somebody', async () => {
  await using folder = await temporaryFolder();
  const healthy = { state: GpuState.HEALTHY, injected: false, summary: '', directives: [] };
  const many = Array.from({ length: 30 }, (_, i) => gpuSample({ gpu: `GPU-${i}`, ...healthy }));
  await using engine = await new FakeEngine([...many, gpuSample()]).start();
  await using events = await new FakeEvents().start();
  await using watching = new Watching(installation(folder.path, engine.address, events.address));
  await watching.until(/and 30 more devices: npx sentinel gpus list/);
  assert.equal(watching.stdout.trimEnd().split('\n').length, 3, watching.stdout);
});

test('an engine that is not there at first is an error', async () => {
  const { status, stderr } = await run(['watch', '--engine', NOBODY, '--engine-http', NOBODY]);
  assert.deepEqual([status, /the engine at 127.0.0.1:1 cannot be reached/.test(stderr)], [69, true], stderr);
});

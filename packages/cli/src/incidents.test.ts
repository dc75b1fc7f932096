import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import { Incident, Incident_State } from '@sentinel/contracts/sentinel/v1/incidents.js';
import { FleetDirective, FleetDirective_Action } from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { temporaryFolder } from '@sentinel/test-kit';
import { installation } from './testing/installation.js';
import { run } from './testing/run.js';
import { GPU, NOW_US } from './testing/samples.js';
import { FakeEngine } from './testing/services.js';

function incident(id: string, over: Partial<Incident> = {}): Incident {
  return Incident.fromPartial({
    id,
    pattern: 'PROBE_OR_SOFTWARE',
    state: Incident_State.OPEN,
    cohort: { vendor: 'NVIDIA', model: 'NVIDIA H100', driverVersion: '535', family: 1, probeVersion: 2 },
    openedUs: NOW_US - 7_200_000_000n,
    reason: '3 nodes newly failed fma32.',
    nodeCount: 3,
    nodes: ['n1', 'n2', 'n3'],
    gpusHeld: 1,
    gpus: [GPU],
    ...over,
  });
}

test('incidents are listed, shown, confirmed and released', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine().start();
  const dataDir = installation(folder.path, engine.address);
  assert.match((await run(['incidents', 'list'], { dataDir })).stdout, /^No incident holds any quarantine/);
  engine.incidents = [
    incident('incident-a'),
    incident('incident-b', { state: Incident_State.CLOSED, endedUs: NOW_US }),
    incident('incident-c', { pattern: 'NODE_CORRELATED', cohort: undefined, node: 'n9', cordoned: true }),
  ];
  const { stdout } = await run(['incidents', 'list'], { dataDir });
  assert.match(stdout, /incident-a +OPEN +fma32 version 2 on NVIDIA H100, driver 535 +2h ago +3 +1/);
  assert.ok(!stdout.includes('incident-b'));
  const json = JSON.parse((await run(['incidents', 'list', '--all', '--output', 'json'], { dataDir })).stdout);
  assert.deepEqual(
    json.incidents.map((entry: { state: string }) => entry.state),
    ['OPEN', 'CLOSED', 'OPEN'],
  );
  const shown = (await run(['incidents', 'show', 'incident-c'], { dataDir })).stdout;
  assert.match(shown, /node n9/);
  assert.match(shown, /n9, cordoned/);
  assert.match(shown, /incidents confirm incident-c --reason TEXT/);
  assert.equal((await run(['incidents', 'show', 'incident-'], { dataDir })).status, 1);
  await run(['incidents', 'confirm', 'incident-a', '--reason', 'bad golden'], { dataDir });
  await run(['incidents', 'release', 'incident-c', '--reason', 'two bad ones'], { dataDir });
  assert.deepEqual(engine.answers, ['confirm incident-a bad golden', 'release incident-c two bad ones']);
  assert.equal((await run(['incidents', 'confirm', 'incident-a'], { dataDir })).status, 2, 'a reason is needed');
});

test('the limit of automatic quarantines is shown and reset', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine().start();
  const dataDir = installation(folder.path, engine.address);
  const { stdout } = await run(['rate-limit', 'show'], { dataDir });
  assert.match(stdout, /^Automatic quarantines: 2 of 2 in the last hour, 3 of 4 in the last day\.\nFurther ones wait/);
  assert.match(
    (await run(['rate-limit', 'reset', '--reason', 'seen'], { dataDir })).stdout,
    /3 quarantines of the last day no longer count/,
  );
  assert.deepEqual(engine.answers, ['reset limit seen']);
});

test('a rollback of the ledger is accepted with a reason, and what is lost is named', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine().start();
  const dataDir = installation(folder.path, engine.address);
  const { stdout } = await run(['audit', 'accept-rollback', '--reason', 'restored'], { dataDir });
  assert.match(
    stdout,
    /had 90 entries and has 61\.\nIt lost what it had from entry 60 on\.\n1 event .* is kept .*sent again/,
  );
  assert.match(stdout, /LOST: of entries 60 to 61 .* 1 decision among it:\n {2}entry 61, GPU GPU-1/);
  assert.deepEqual(engine.answers, ['accept-rollback ledger restored']);
});

const directive = (commitSeq: bigint) => ({
  $case: 'directive' as const,
  value: FleetDirective.fromPartial({
    cursor: { commitSeq, ordinal: 0 },
    id: `fleet-${commitSeq}`,
    action: FleetDirective_Action.QUARANTINE,
    gpu: GPU,
    node: 'n1',
    reason: 'it fails',
    from: GpuState.SUSPECT,
    to: GpuState.QUARANTINED,
    timeUs: NOW_US,
  }),
});
const caughtUp = (commitSeq: bigint) => ({
  $case: 'caughtUp' as const,
  value: { cursor: { commitSeq, ordinal: 7 }, timeUs: NOW_US },
});

test('directives go on from their cursor after the stream broke, and each is printed once', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine().start();
  const dataDir = installation(folder.path, engine.address);
  engine.told.push([directive(3n)], [directive(9n), caughtUp(12n)]);
  const { stdout, status } = await run(['directives', '--once', '--output', 'json'], { dataDir });
  const printed = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { cursor: string; action: string; to: string });
  assert.deepEqual(
    printed.map(({ cursor, action, to }) => [cursor, action, to]),
    [
      ['3.0', 'QUARANTINE', 'GPU_STATE_QUARANTINED'],
      ['9.0', 'QUARANTINE', 'GPU_STATE_QUARANTINED'],
    ],
  );
  assert.deepEqual([engine.cursors, status], [[null, 3n], 0]);
  engine.told.push([directive(9n), caughtUp(12n)]);
  const text = (await run(['directives', '--once', '--after', '3.0'], { dataDir })).stdout;
  assert.match(text, /9\.0 {2}QUARANTINE {2}GPU-8932f937.* on n1 {2}it fails/);
  assert.equal((await run(['directives', '--after', 'x'], { dataDir })).status, 2);
});

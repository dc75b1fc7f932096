import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { GetGpuHistoryResponse } from '@sentinel/contracts/sentinel/v1/health.js';
import { temporaryFolder } from '@sentinel/test-kit';
import { logEvents, startLedger } from './testing/ledger.js';
import { run } from './testing/run.js';
import { GPU, gpuSample, NOW_US } from './testing/samples.js';
import { FakeEngine } from './testing/services.js';

const NOBODY = '127.0.0.1:1';

test('replacement-report: identity, timeline, evidence, gates, temperature and ledger entries, to the terminal or a file', async () => {
  await using folder = await temporaryFolder();
  await using ledger = await startLedger(folder);
  await logEvents(ledger.grpc, 3);
  await using engine = await new FakeEngine([gpuSample({ serial: '1650', slot: '0000:17:00.0' })]).start();
  engine.sensors = GetGpuHistoryResponse.fromPartial({
    telemetry: [
      { timeUs: NOW_US, values: { temperature_c: 71, power_w: 250 } },
      { timeUs: NOW_US - 1_000_000n, values: { temperature_c: 64 }, partial: true },
    ],
    events: [{ timeUs: NOW_US, event: 'loud_fault', detail: 'Xid 48' }],
  });
  const dataDir = folder.join('data');
  mkdirSync(dataDir);
  const ask = (...argv: string[]) =>
    run(['replacement-report', 'GPU-8', '--engine', engine.address, ...argv], { dataDir });
  const whole = await ask('--ledger', ledger.grpc);
  assert.deepEqual([whole.status, whole.stderr], [0, '']);
  for (const part of [
    /^Replacement report, made 20/,
    /serial {3}1650\nslot {5}0000:17:00\.0/,
    /Timeline\n.*SUSPECT -> QUARANTINED/s,
    /Wrong results, newest first \(2 listed\): 2 counted, 1 in answer/,
    /7 rate-limit +PASS/,
    /Temperature and power around the wrong results\n {2}20.* 64 to 71 °C, 250 W in 2 samples\n {4}20.* loud_fault: Xid/,
    /Entries of the audit ledger\n {2}SEQ .*\n {4}1 /,
  ])
    assert.match(whole.stdout, part);
  const file = folder.join('report.json');
  const written = await ask('--ledger', ledger.grpc, '--output', 'json', '--output-file', file);
  assert.deepEqual([written.status, written.stdout], [0, '']);
  const json = JSON.parse(readFileSync(file, 'utf8')) as { health: { serial: string }; ledger: { entries: unknown[] } };
  assert.deepEqual(Object.keys(json), ['madeUs', 'health', 'explanation', 'surroundings', 'ledger']);
  assert.equal(json.health.serial, '1650');
  assert.equal(json.ledger.entries.length, 3);
  assert.equal((await ask('--ledger', ledger.grpc, '--output-file', folder.join('no/such/folder'))).status, 2);
});

test('without the ledger the report says what is missing, and ends with 69', async () => {
  await using folder = await temporaryFolder();
  await using engine = await new FakeEngine().start();
  const argv = ['replacement-report', GPU, '--engine', engine.address, '--ledger', NOBODY];
  const { status, stdout, stderr } = await run(argv, { dataDir: folder.path });
  assert.equal(status, 69);
  assert.match(stdout, /Entries of the audit ledger\n {2}None: the audit ledger at 127\.0\.0\.1:1 cannot be reached/);
  assert.match(stderr, /no entries of the audit ledger/);
});

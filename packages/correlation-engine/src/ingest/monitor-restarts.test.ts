import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '@sentinel/test-kit';
import { replayOf } from '../replay/testing/run-replay.js';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';
import { lostRound, softEvent, TestMonitor } from '../testing/monitor.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const RECORDS = 60;
const KILLED_AFTER = 20n;
const GPUS = ['CPU-node-1', 'CPU-node-2', 'CPU-node-3'];

const engine = new TestEngine();
let killed: ChildProcess | null = null;
before(async () => {
  await engine.start();
  const agent = new TestAgent(engine.grpc);
  await agent.connect();
  agent.close();
});
after(async () => {
  killed?.kill('SIGKILL');
  await engine.remove();
});

it('an engine that is killed in the midst of reports counts each of them once', async () => {
  await engine.stop();
  const ready = join(engine.folder, 'ready.json');
  const argv = [MAIN, '--config', join(engine.folder, 'sentinel.yaml'), '--ready-file', ready];
  killed = spawn(process.execPath, argv, { stdio: 'ignore' });
  await eventually(() => existsSync(ready), { what: 'it is ready' });
  const { grpc } = JSON.parse(readFileSync(ready, 'utf8')) as { grpc: string };
  const monitor = new TestMonitor(grpc);
  for (let i = 0; i < RECORDS; i += 1) monitor.record([softEvent('CPU-node-1'), lostRound(GPUS, BigInt(i))]);
  monitor.sendAgain();
  await monitor.committed(KILLED_AFTER);
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  rmSync(ready, { force: true });
  await engine.start();
  const { committedThrough } = monitor;
  const [mark] = await engine.sql<{ committed_through: string }>(
    `select committed_through from spools where spool_id = $1`,
    [monitor.spoolId.toString('hex')],
  );
  assert.ok(BigInt(mark?.committed_through ?? 0) >= committedThrough, 'what was acknowledged is there');
  // As a monitor that was killed with it, and knows no better.
  monitor.committedThrough = 0n;
  monitor.sendAgain(engine.grpc);
  await monitor.committed(BigInt(RECORDS));
  monitor.close();
  const [device] = await engine.sql<{ body: { units: { counted: number }[]; soft: { events: number }[] } }>(
    `select body from devices where id = 'CPU-node-1'`,
  );
  const { units = [], soft = [] } = device?.body ?? {};
  assert.deepEqual([units.map(({ counted }) => counted), soft.map(({ events }) => events)], [[RECORDS], [RECORDS]]);
  const report = await replayOf(engine.folder);
  assert.equal(report.disagreement, null);
});

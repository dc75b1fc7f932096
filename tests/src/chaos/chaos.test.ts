import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { test } from 'node:test';
import { temporaryFolder, testServer } from '@sentinel/test-kit';
import type { Finding } from '../check/reconcile.js';
import { load } from './load.js';
import { storm } from './storm.js';
import { verdict } from './verdict.js';
import type { World } from './world.js';

const SEED = Number(process.env.CHAOS_SEED ?? 20_261_127);
const SHORT = {
  seed: SEED,
  replicas: 3,
  agents: 6,
  history: 'files',
  faults: 24,
  overMs: 30_000,
  outages: 0,
  // In CI nothing is left out: there it fails where it may not mount.
  disks: process.getuid?.() === 0 || process.env.CI === 'true',
} as const;

// Servers of its own, which it kills; where the run has none of a kind, this machine cannot.
const missing = (await Promise.all((['postgres', 'redis'] as const).map(testServer))).find(
  ({ skip }) => skip !== false,
);

/** What an engine could do wrong, done to the database behind its back. */
const MUTANTS: readonly {
  readonly what: string;
  readonly sql: string;
  readonly undo: string;
  readonly as: 'lost' | 'doubled';
}[] = [
  {
    what: 'a batch that was dropped',
    sql: `update counters set runs = runs - 1 where device_id = 'CPU-agent-0' and family = 1`,
    undo: `update counters set runs = runs + 1 where device_id = 'CPU-agent-0' and family = 1`,
    as: 'lost',
  },
  {
    what: 'a batch that was counted twice',
    sql: `update counters set runs = runs + 3, executions = executions + 12 where device_id = 'CPU-agent-3' and family = 2`,
    undo: `update counters set runs = runs - 3, executions = executions - 12 where device_id = 'CPU-agent-3' and family = 2`,
    as: 'doubled',
  },
  {
    what: 'a forged transition',
    sql: `insert into transitions (event_id, commit_seq, device_id, time_us, from_state, to_state, reason, actor, injected)
      values ('00', 1000000000, 'CPU-agent-0', 1, 'HEALTHY', 'QUARANTINED', 'forged', 'engine', false)`,
    undo: `delete from transitions where event_id = '00'`,
    as: 'doubled',
  },
  {
    what: 'a decision that was lost',
    sql: `update transitions set device_id = 'moved ' || device_id where to_state = 'QUARANTINED' and device_id = 'CPU-agent-2'`,
    undo: `update transitions set device_id = 'CPU-agent-2' where device_id = 'moved CPU-agent-2'`,
    as: 'lost',
  },
];

async function mutantsAreFound(world: World, expected: Parameters<typeof verdict>[1]): Promise<void> {
  const { postgres } = world.stores;
  for (const { what, sql, undo, as } of MUTANTS) {
    await postgres.sql(sql);
    const found = await verdict(world, expected);
    await postgres.sql(undo);
    assert.ok(found[as].length > 0, `${what} was not found`);
  }
  // A record that was acknowledged and that nobody has.
  const [agent] = world.agents;
  assert.ok(agent !== undefined);
  agent.agent.batch(load(SEED, 0, agent.records + 1));
  const { lost } = await verdict(world, expected);
  agent.agent.payloads.pop();
  assert.deepEqual(new Set(lost.map(({ where }) => where)), new Set(['watermark', 'counter', 'history']));
  const clean = await verdict(world, expected);
  assert.deepEqual([clean.lost, clean.doubled], [[], []]);
}

test('random faults under load lose nothing, double nothing and change no decision; what would is found', {
  skip: missing?.skip ?? false,
  timeout: 580_000,
}, async (context) => {
  await using folder = await temporaryFolder('sentinel-chaos-');
  chmodSync(folder.path, 0o711);
  const result = await storm({ ...SHORT, folder: folder.path, log: () => {}, inspect: mutantsAreFound });
  const { lost, doubled, faults, records, runs, quarantines, timeline } = result;
  if (!SHORT.disks) context.diagnostic('no disk was ever full: making one that can be is for root');
  context.diagnostic(`${faults} faults, ${records} records, ${runs} runs, seed ${SEED}`);
  const story = (findings: readonly Finding[]): string =>
    [
      `seed ${SEED} (CHAOS_SEED repeats it)`,
      ...timeline,
      ...findings.map(({ where, what }) => `${where}: ${what}`),
    ].join('\n');
  assert.equal(lost.length, 0, story(lost));
  assert.equal(doubled.length, 0, story(doubled));
  assert.equal(faults, SHORT.faults);
  assert.equal(quarantines, 2, 'the two defective devices were taken out, also undisturbed');
});

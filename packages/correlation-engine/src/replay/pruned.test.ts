import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { type Clock, systemClock } from '@sentinel/service-kit/clock';
import { eventually } from '@sentinel/test-kit';
import { TestAgent } from '../testing/agent.js';
import { TestEngine } from '../testing/engine.js';
import { replayOf, runReplay } from './testing/run-replay.js';

const DAY_US = 86_400_000_000n;

/** So many days ago. */
function ago(days: bigint): Clock {
  return { nowUs: () => systemClock.nowUs() - days * DAY_US, monotonicMs: systemClock.monotonicMs };
}

/** Three lives of an engine, 200 and 100 days ago and today, each with a device that fails. */
describe('a log whose beginning was given up', () => {
  const engine = new TestEngine({
    database: { retention: { log_days: 90, observations_days: 50, transitions_days: 3650 } },
  });
  after(() => engine.remove());
  const count = async (table: string): Promise<number> =>
    Number((await engine.sql<{ n: string }>(`select count(*) as n from ${table}`))[0]?.n);
  /** The first record that is kept. */
  const first = async (): Promise<number> =>
    Number((await engine.sql<{ before: string }>(`select before from pruned where what = 'records'`))[0]?.before);
  const live = async (days: bigint, node: string): Promise<void> => {
    await engine.start({ clock: ago(days) });
    const since = Number(ago(days).nowUs()) - 60e6;
    await eventually(async () => (await count(`log_bases where now_us > ${since}`)) === 1, { what: 'a base is kept' });
    const agent = new TestAgent(engine.grpc, { node });
    await agent.connect();
    agent.sendAll(agent.batch(), agent.batch([{ index: 1, fails: [{ sm: 1 }] }]));
    await agent.archived(2n);
    agent.close();
  };

  it('replays from the state that was kept there, and says from when', async () => {
    for (const [days, node] of [
      [200n, 'a'],
      [100n, 'b'],
      [0n, 'c'],
    ] as const) {
      await live(days, node);
      if (days > 0n) await engine.stop();
    }
    await eventually(async () => (await first()) > 1 && (await count('observations')) === 1, {
      what: 'a round is over',
    });
    assert.equal(await count('transitions'), 3);
    assert.deepEqual(await engine.metric('sentinel_pruned_rows_total{what="observations"}'), 1);
    assert.ok((await engine.metric('sentinel_pruned_rows_total{what="records"}')) > 0);

    for (const flags of [[], ['--from-start']]) {
      const { code, report, text } = await runReplay(engine.folder, ...flags);
      assert.equal(code, 0, text || JSON.stringify(report?.disagreement));
      const { compared = {}, notCompared = [] } = report ?? {};
      const [, until = ''] =
        new RegExp(`^records 1 to ${(await first()) - 1}, until (\\S+), which are not kept`).exec(
          notCompared.join('\n'),
        ) ?? [];
      // As long ago as it is since the second life began, within which an hour or a day may end.
      const awayMs = Math.abs(Number(ago(100n).nowUs() / 1000n) - Date.parse(until));
      assert.ok(awayMs < 3_600_000, `${until}: ${notCompared.join('\n')}`);
      assert.match(notCompared.join('\n'), /1 observations and transitions, which are not kept any more/);
      assert.deepEqual([compared.transitions, compared.observations, compared.devices], [2, 1, 3]);
    }
  });

  it('no record from before can be asked for', async () => {
    const { code, text } = await runReplay(engine.folder, '--until', '2');
    assert.match(text, /^records 1 to \d+ of the log, until \S+, are not kept any more\. Replay further/);
    assert.equal(code, 69);
  });

  it('what was changed since is found all the same, and so is a state that was changed where the log begins', async () => {
    const forge = (from: string, to: string) =>
      engine.sql('update transitions set reason = replace(reason, $1, $2) where device_id = $3', [from, to, 'CPU-b']);
    await forge('a', '@');
    assert.match((await replayOf(engine.folder)).disagreement?.what ?? '', /^transitions of record \d+$/);
    await forge('@', 'a');
    assert.equal((await replayOf(engine.folder)).disagreement, null);
    await engine.sql(`update log_base_rows set body = jsonb_set(body::jsonb, '{runs}', '99')::json
      where kind = 'counter' and base = (select min(commit_seq) from log_bases)`);
    assert.match((await replayOf(engine.folder)).disagreement?.what ?? '', /^counters of CPU-a/);
  });
});

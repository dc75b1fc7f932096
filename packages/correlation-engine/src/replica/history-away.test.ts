import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '@sentinel/test-kit';
import type { TestEngine } from '../testing/engine.js';
import { decides, Replicas } from '../testing/replicas.js';

const WAIT = { timeoutMs: 20_000 };

describe('a replica that takes over while the history cannot be opened', () => {
  let replicas: Replicas;
  let second: TestEngine;
  let folder = '';
  before(async () => {
    replicas = await Replicas.start(2, { redis: { url: 'redis://127.0.0.1:1' } });
    second = replicas.all[1] as TestEngine;
    folder = join(replicas.first.folder, 'history');
  });
  after(() => replicas.remove());

  const health = async (): Promise<{ code: number; history: string; reasons: string[] }> => {
    const answer = await fetch(`http://${second.http}/health`);
    const { stores, reasons } = (await answer.json()) as { stores: { history: string }; reasons: string[] };
    return { code: answer.status, history: stores.history, reasons };
  };
  const records = async (): Promise<string> =>
    (await second.sql<{ count: string }>('select count(*) from unarchived'))[0]?.count ?? '';

  it('before, while it asks neither history nor ledger, it does not say that they are there', async () => {
    const { code, history } = await health();
    assert.deepEqual([code, history], [200, 'unknown']);
    const answer = (await (await fetch(`http://${second.http}/health`)).json()) as { stores: unknown };
    assert.deepEqual(answer.stores, { state: 'up', history: 'unknown', ledger: 'unknown', bus: 'away' });
    const text = await (await fetch(`http://${second.metrics}/metrics`)).text();
    const series = text.split('\n').filter((line) => line.startsWith('sentinel_store_up'));
    assert.deepEqual(series.sort(), ['sentinel_store_up{store="bus"} 0', 'sentinel_store_up{store="state"} 1']);
  });

  it('decides and says so; once the history is there it is well, without a record that would show it', async () => {
    renameSync(folder, `${folder}.away`);
    writeFileSync(folder, 'no folder');
    await replicas.first.stop();
    await decides(second);
    const away = await eventually(
      async () => {
        const report = await health();
        return report.history === 'away' ? report : null;
      },
      { what: 'it says that the history is away', ...WAIT },
    );
    assert.equal(away.code, 503);
    assert.match(away.reasons[0] ?? '', /^the history is away: agents keep their records: ./);
    rmSync(folder);
    renameSync(`${folder}.away`, folder);
    await eventually(async () => (await health()).code === 200, { what: 'it is well again', ...WAIT });
    assert.deepEqual([(await health()).history, await records()], ['up', '0']);
    assert.equal(await second.metric('sentinel_store_up{store="history"}'), 1);
  });
});

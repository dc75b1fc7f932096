import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type Logger, silentLogger } from '@sentinel/service-kit/logging';
import { createRegistry, Gauge } from '@sentinel/service-kit/metrics';
import { StoreHealth } from './stores.js';

function watched() {
  const registry = createRegistry();
  const up = new Gauge({ name: 'up', help: 'u', labelNames: ['store'] as const, registers: [registry] });
  const said: string[] = [];
  const keep = (level: string) => (facts: { reason?: string }, message: string) =>
    void said.push([level, message.split(':')[0], facts.reason].filter(Boolean).join(' | '));
  const log = Object.assign(silentLogger(), {
    error: keep('error'),
    warn: keep('warn'),
    info: keep('info'),
  }) as unknown as Logger;
  const series = async () =>
    Object.fromEntries((await up.get()).values.map(({ labels, value }) => [labels.store, value]));
  return { stores: new StoreHealth(log, up), said, series };
}

const away = (message: string) => new SentinelError({ code: 'UNAVAILABLE', message, hint: 'Look.' });

test('a store that was never asked is unknown and has no series, and so is one that is asked no more', async () => {
  const { stores, said, series } = watched();
  assert.deepEqual([stores.standing('history'), stores.whyAway('history'), await series()], ['unknown', null, {}]);
  stores.changed('history', null);
  stores.changed('ledger', away('gone'));
  assert.deepEqual(await series(), { history: 1, ledger: 0 });
  assert.deepEqual([stores.standing('history'), stores.standing('ledger')], ['up', 'away']);
  assert.equal(stores.whyAway('ledger'), 'gone. Look.');
  for (const store of ['history', 'ledger'] as const) stores.forget(store);
  assert.deepEqual([stores.standing('history'), stores.standing('ledger'), await series()], ['unknown', 'unknown', {}]);
  assert.deepEqual(said, ['error | the audit ledger is away | gone. Look.'], 'what was never away is not back');
});

test('each reason is said once while it is away, also where some take turns', () => {
  const { stores, said } = watched();
  const refused = new SentinelError({ code: 'FAILED_PRECONDITION', message: 'wrong name' });
  for (let i = 0; i < 5; i += 1) for (const error of [refused, away('not open')]) stores.changed('history', error);
  stores.changed('history', null);
  stores.changed('history', refused);
  assert.deepEqual(said, [
    'error | the history refuses what it is sent | wrong name',
    'error | the history is away | not open. Look.',
    'info | the history is back',
    'error | the history refuses what it is sent | wrong name',
  ]);
});

test('what is remembered of reasons is bounded', () => {
  const { stores, said } = watched();
  for (let i = 0; i < 100; i += 1) stores.changed('state', away(`reason ${i}`));
  assert.equal(said.length, 100);
  stores.changed('state', away('reason 99'));
  assert.equal(said.length, 100);
  stores.changed('state', away('reason 1'));
  assert.equal(said.length, 101);
});

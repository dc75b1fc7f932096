import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@sentinel/service-kit/logging';
import { createRegistry } from '@sentinel/service-kit/metrics';
import { buildGroup } from './commit/group.js';
import { emptyState, FORGETTABLE } from './core.js';
import { Events } from './events.js';
import { CONFIG } from './evidence/testing/config.js';

const nothing = (): void => {};

test('what bounded memory gave up is counted by kind, and every kind is there from the start', async () => {
  const registry = createRegistry();
  const events = new Events(silentLogger(), registry);
  const counted = async () => {
    const { values } = (await registry.getSingleMetric('sentinel_forgotten_total')?.get()) ?? { values: [] };
    return Object.fromEntries(values.map(({ labels, value }) => [labels['what'], value]));
  };
  assert.deepEqual(await counted(), Object.fromEntries(FORGETTABLE.map((what) => [what, 0])));
  const state = emptyState(CONFIG);
  const group = buildGroup({
    state,
    head: { commitSeq: 0, nowUs: 0 },
    nowUs: 1,
    items: [{ kind: 'own', record: { kind: 'timer' }, committed: nothing, failed: nothing }],
    epochOf: () => 0,
    archived: [],
  });
  const [logged] = group.logged;
  assert.ok(logged !== undefined);
  const effects = { ...logged.effects, forgotten: { canary: 2, soft_job: 1 } };
  events.committed({ ...group, logged: [{ ...logged, effects }] }, 0, state);
  const { canary, soft_job, incident } = await counted();
  assert.deepEqual([canary, soft_job, incident], [2, 1, 0]);
});

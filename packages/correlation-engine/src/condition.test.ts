import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SentinelError } from '@sentinel/service-kit/errors';
import { silentLogger } from '@sentinel/service-kit/logging';
import { createRegistry } from '@sentinel/service-kit/metrics';
import { Condition } from './condition.js';
import { Events } from './events.js';

test('/health says that the ledger takes no entries, and why, while it does not', () => {
  const events = new Events(silentLogger(), createRegistry());
  const condition = new Condition(events);
  const remarks = (): readonly string[] =>
    condition.report({ activeAgents: 0, replica: null, leaderAway: false }).remarks;
  assert.deepEqual(remarks(), []);
  const refusal = new SentinelError({ code: 'ALREADY_EXISTS', message: 'number is too low', hint: 'Look.' });
  events.storeChanged('ledger', refusal);
  assert.deepEqual(remarks(), [
    'decisions go on, the audit ledger takes no entries, and they wait: number is too low. Look.',
  ]);
  events.storeChanged('ledger', null);
  assert.deepEqual(remarks(), []);
});

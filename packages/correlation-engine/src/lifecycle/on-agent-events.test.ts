import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_AGENT_EVENTS } from './on-agent-events.js';
import { deviceIdOf, Fleet } from './testing/fleet.js';

const ID = deviceIdOf('n1');

test('each event becomes an entry; only a device of the sender is named as its subject', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  fleet.hello('n2');
  const events = [
    { event: 'child_timeout', timeUs: fleet.nowUs, deviceId: ID, detail: '2000 ms' },
    { event: 'golden_disagreed', timeUs: fleet.nowUs, deviceId: deviceIdOf('n2'), detail: '' },
  ];
  const { outbox } = fleet.commit({ kind: 'agent-events', ...fleet.origin('n1'), events });
  assert.deepEqual(
    outbox.map((entry) => [entry.type, entry.detail.event, entry.gpu]),
    [
      ['SYSTEM', 'child_timeout', ID],
      ['ANOMALY', 'golden_disagreed', ''],
    ],
  );
});

test('a flood of events is bounded, and the rest counted', () => {
  const fleet = new Fleet();
  fleet.hello('n1');
  const event = { event: 'child_crashed', timeUs: fleet.nowUs, deviceId: '', detail: 'x'.repeat(5000) };
  const { outbox } = fleet.commit({ kind: 'agent-events', ...fleet.origin('n1'), events: Array(100).fill(event) });
  assert.equal(outbox.length, MAX_AGENT_EVENTS + 1);
  assert.equal(outbox.at(-1)?.detail.more, 100 - MAX_AGENT_EVENTS);
  assert.equal(String(outbox[0]?.detail.detail).length, 1024);
});

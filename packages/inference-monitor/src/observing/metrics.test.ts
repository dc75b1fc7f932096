import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { zeroCounts } from '../front/counts.js';
import type { ObservedFront } from './front-metrics.js';
import { MonitorMetrics } from './metrics.js';

function metrics(front: ObservedFront | null = null): MonitorMetrics {
  return new MonitorMetrics({
    ...{ node: 'n', models: () => 3, senders: () => 2, queueDropped: () => 4, connected: () => true },
    ...{ blocks: () => ({ judged: 5, small: 6 }), spoolRecords: () => 7, spoolBytes: () => 8, front: () => front },
  });
}

async function linesOf(of: MonitorMetrics): Promise<string[]> {
  return (await of.registry.metrics()).split('\n').filter((line) => line.startsWith('sentinel_inference_'));
}

test('what is observed is shown when it is scraped, each series from the start', async () => {
  const of = metrics();
  of.counted({ seen: 10, unread: 2, dropped: 1 });
  const lines = await linesOf(of);
  for (const line of [
    'models 3',
    'senders 2',
    'queue_dropped 4',
    'blocks{use="judged"} 5',
    'blocks{use="small"} 6',
    'requests_total 10',
    'unread_total 2',
    'sender_dropped_total 1',
    'records_total{kind="sample"} 0',
    'front_serving 0',
    'front_doubts{reason="route"} 0',
  ]) {
    assert.ok(lines.includes(`sentinel_inference_${line}`), line);
  }
});

test('the front shows as it has told last', async () => {
  const counts = { ...zeroCounts(), requests: 9, sampled: 2 };
  const lines = await linesOf(metrics({ counts, restarts: 1, serving: true }));
  for (const line of ['front_requests 9', 'front_sampled 2', 'front_restarts 1', 'front_serving 1'])
    assert.ok(lines.includes(`sentinel_inference_${line}`), line);
});

test('docs/inference-monitor.md has every metric', async () => {
  const page = readFileSync(new URL('../../../../docs/inference-monitor.md', import.meta.url), 'utf8');
  const names = (await metrics().registry.getMetricsAsJSON())
    .map(({ name }) => name)
    .filter((name) => name.startsWith('sentinel_inference_'));
  assert.ok(names.length > 25);
  for (const name of names) assert.ok(page.includes(name), name);
});

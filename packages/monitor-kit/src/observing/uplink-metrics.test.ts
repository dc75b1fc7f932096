import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry } from '@sentinel/service-kit/metrics';
import { UplinkMetrics } from './uplink-metrics.js';

test('every series is there from the start, so that an increase from nothing shows', async () => {
  const registry = createRegistry();
  const metrics = new UplinkMetrics({
    registry,
    prefix: 'sentinel_some',
    section: 'some_monitor',
    types: ['A', 'B'],
    deviceKey: 'map',
    observed: { node: 'n', connected: () => false, spoolRecords: () => 6, spoolBytes: () => 7 },
  });
  metrics.finding({ type: 'A', severity: 'HIGH' });
  metrics.notSent('repeated', 2);
  metrics.disconnected();
  metrics.givenUp(3);
  const page = await registry.metrics();
  const lines = page.split('\n').filter((line) => line.startsWith('sentinel_some_'));
  assert.equal(lines.filter((line) => line.startsWith('sentinel_some_anomalies_total{')).length, 2 * 4);
  for (const line of [
    'anomalies_total{type="A",severity="HIGH"} 1',
    'anomalies_total{type="B",severity="INFO"} 0',
    'not_sent_total{reason="repeated"} 2',
    'not_sent_total{reason="spool_full"} 0',
    'disconnects_total 1',
    'records_given_up_total 3',
    'grpc_stream_active 0',
    'spool_records 6',
    'spool_bytes 7',
  ]) {
    assert.ok(lines.includes(`sentinel_some_${line}`), line);
  }
  assert.match(page, /sentinel_some_info\{node="n",version="[^"]+"\} 1/);
  assert.match(page, /some_monitor\.spool\.max_bytes/);
});

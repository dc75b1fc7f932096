import assert from 'node:assert/strict';
import { AuditType } from '@sentinel/contracts/sentinel/v1/audit.js';
import type { ExplainDecisionResponse } from '@sentinel/contracts/sentinel/v1/health.js';
import { auditTrail } from '../harness/ledger-client.js';
import type { Reachable } from '../harness/stack.js';
import { until } from '../harness/until.js';
import { type Site, sentinelAt } from './site.js';

const LEDGER_MS = 30_000;

/** Each change of state of a device is one entry of the ledger, marked as a test, and the whole log verifies. */
export async function recorded(
  site: Site & Reachable,
  folder: string,
  { health, transitions }: ExplainDecisionResponse,
): Promise<void> {
  const gpu = health?.gpu ?? '';
  assert.ok(transitions.length >= 2, 'SUSPECT and QUARANTINED');
  for (const { eventId } of transitions) {
    const same = await until(`an entry about a change of ${gpu}`, LEDGER_MS, async () => {
      const entries = await auditTrail(site, gpu);
      const found = entries.filter((entry) => Buffer.from(entry.eventId).equals(Buffer.from(eventId)));
      return found.length > 0 ? found : null;
    });
    assert.equal(same.length, 1);
    assert.deepEqual([same[0]?.type, same[0]?.injected], [AuditType.DECISION, true]);
  }
  const { code, stdout, stderr } = await sentinelAt(site, folder, 'audit', 'verify');
  assert.equal(code, 0, stdout + stderr);
}

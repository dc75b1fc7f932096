import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Identity, Role } from '@sentinel/service-kit/auth';
import { SentinelError } from '@sentinel/service-kit/errors';
import { LeafType } from '../leaf/leaf.js';
import { draftOf } from '../testing/ledgers.js';
import { assertOwn } from './own-events.js';

const by = (role: Role, subject: string): Identity => ({ role, subject, node: null, via: 'certificate' });
const ENGINE = by('engine', 'correlation-engine');
const MONITOR = by('monitor', 'inference-monitor');
const ADMIN = by('admin', 'alice');
const TOKEN: Identity = { role: 'service', subject: 'service token', node: null, via: 'token' };

function refused(who: Identity, producer: string, type: LeafType = LeafType.anomaly): string | undefined {
  try {
    assertOwn(who, {
      producer,
      numbering: undefined,
      drafts: [draftOf(1, { type: LeafType.anomaly }), draftOf(2, { type })],
    });
    return undefined;
  } catch (error) {
    return SentinelError.from(error).field;
  }
}

it('a certificate logs under the name of its component alone', () => {
  for (const [who, producer, field] of [
    [ENGINE, 'correlation-engine/ab12', undefined],
    [ENGINE, 'correlation-engine', undefined],
    [ENGINE, 'correlation-engines/x', 'producer'],
    [ENGINE, 'inference-monitor/1', 'producer'],
    [MONITOR, 'inference-monitor/1', undefined],
    [MONITOR, 'training-monitor/1', 'producer'],
    [MONITOR, 'correlation-engine/ab12', 'producer'],
    [ADMIN, 'import/2026', undefined],
    [ADMIN, 'correlation-engine/ab12', 'producer'],
    [TOKEN, 'correlation-engine/ab12', undefined],
  ] as const)
    assert.equal(refused(who, producer), field, `${who.subject} as ${producer}`);
});

it('a monitor logs what it finds, and speaks for nobody', () => {
  for (const type of [LeafType.decision, LeafType.approval, LeafType.configuration, LeafType.system, LeafType.probe]) {
    assert.equal(refused(MONITOR, 'inference-monitor/1', type), 'events[1].type');
    assert.equal(refused(ENGINE, 'correlation-engine/1', type), undefined);
  }
  assert.equal(refused(MONITOR, 'inference-monitor/1', LeafType.agreement), undefined);
});

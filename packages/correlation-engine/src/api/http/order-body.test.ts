import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PauseDeviceRequest } from '@sentinel/contracts/sentinel/v1/probe_control.js';
import {
  IssueDirectiveRequest_Action as Action,
  IssueDirectiveRequest,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type OrderShape, parseOrder } from './order-body.js';

const ISSUE: OrderShape<IssueDirectiveRequest> = {
  type: IssueDirectiveRequest,
  members: {
    directiveId: 'text',
    gpu: 'text',
    action: { prefix: 'ACTION_' },
    reason: 'text',
    requiresApproval: 'flag',
    evidence: 'texts',
  },
};
const PAUSE: OrderShape<PauseDeviceRequest> = {
  type: PauseDeviceRequest,
  members: { gpu: 'text', durationMs: 'count', reason: 'text' },
};

function refusal<T>(order: unknown, shape: OrderShape<T>): [field: string, message: string] {
  try {
    parseOrder(JSON.stringify(order), shape);
  } catch (error) {
    const { code, field, message } = SentinelError.from(error);
    assert.equal(code, 'INVALID_ARGUMENT');
    return [field, message];
  }
  throw new Error(`${JSON.stringify(order)} was taken`);
}

test('members have the names of the message or those of its JSON; a device, its UUID too', () => {
  const whole = { directiveId: 'o', gpu: 'GPU-1', reason: 'r', requiresApproval: true, evidence: ['e', 'f'] };
  const order = { ...whole, action: Action.CONDEMN };
  const snake = { directive_id: 'o', gpu_uuid: 'GPU-1', action: 'CONDEMN', reason: 'r', requires_approval: true };
  assert.deepEqual(parseOrder(JSON.stringify({ ...snake, evidence: ['e', 'f'] }), ISSUE), order);
  assert.deepEqual(parseOrder(JSON.stringify({ ...whole, action: 'ACTION_CONDEMN' }), ISSUE), order);
  for (const durationMs of [60_000, '60000'])
    assert.equal(parseOrder(JSON.stringify({ gpuUuid: 'GPU-1', durationMs }), PAUSE).durationMs, 60_000n);
});

test('a member that nobody knows is refused by name, and so is one given twice', () => {
  assert.deepEqual(refusal({ requires_aproval: true }, ISSUE), [
    'requires_aproval',
    '"requires_aproval" is no member of this order',
  ]);
  const own = JSON.parse('{"__proto__":{"requiresApproval":false}}') as unknown;
  for (const stranger of [own, { constructor: 1 }, { 'directive-id': 'o' }, { duration_ms: 1 }])
    assert.match(refusal(stranger, ISSUE)[1], /no member of this order/);
  assert.deepEqual(refusal({ gpu: 'GPU-1', gpu_uuid: 'GPU-2' }, ISSUE), ['gpu', 'gpu is given twice']);
});

test('a member of another type is refused by name', () => {
  for (const [order, field] of [
    [{ reason: 5 }, 'reason'],
    [{ reason: null }, 'reason'],
    [{ gpu: ['GPU-1'] }, 'gpu'],
    [{ gpu_uuid: {} }, 'gpu'],
    [{ action: 4 }, 'action'],
    [{ requires_approval: 'false' }, 'requires_approval'],
    [{ requiresApproval: 0 }, 'requires_approval'],
    [{ evidence: 'INC-1' }, 'evidence'],
    [{ evidence: ['a', 7] }, 'evidence[1]'],
  ] as const)
    assert.equal(refusal(order, ISSUE)[0], field, JSON.stringify(order));
  for (const duration_ms of [-1, 1.5, 1e300, '1e3', '-1', '', true])
    assert.equal(refusal({ duration_ms }, PAUSE)[0], 'duration_ms', String(duration_ms));
});

test('what is no JSON object is no order', () => {
  for (const text of ['', '{', '[]', 'null', '"gpu"', '7'])
    assert.throws(() => parseOrder(text, ISSUE), { code: 'INVALID_ARGUMENT', reason: 'MALFORMED' }, text);
});

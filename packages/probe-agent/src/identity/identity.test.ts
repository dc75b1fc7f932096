import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { deriveAgentKey } from '@sentinel/service-kit/mac';
import { temporaryFolder } from '../testing/folder.js';
import { agentKey } from './agent-key.js';
import { buildId } from './build-id.js';
import { partitions } from './devices.js';
import { deviceIds } from './saved-ids.js';
import { failures, selfTest } from './self-test.js';

const root = temporaryFolder();
const fresh = () => mkdtempSync(join(root, 'x-'));

test('device ids are kept, differ by part and node, and are not written by a command that only looks', () => {
  const folder = fresh();
  const looked = deviceIds(folder, 'n', ['0', '1'], false);
  assert.deepEqual(readdirSync(folder), []);
  const saved = deviceIds(folder, 'n', ['0', '1']);
  assert.deepEqual(deviceIds(folder, 'n', ['1', '0']), saved.toReversed());
  assert.ok(saved.every((id) => /^CPU-[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)));
  assert.equal(new Set([...saved, ...deviceIds(fresh(), 'm', ['0', '1'])]).size, 4);
  assert.equal(looked.length, 2);
});

test('a damaged file of ids is said, not replaced', () => {
  const folder = fresh();
  writeFileSync(join(folder, 'devices.json'), '{"machineId":');
  assert.throws(() => deviceIds(folder, 'n', ['0']), /devices\.json cannot be read/);
});

test('lists of CPUs make devices; one that this process may not use is named with those it may', () => {
  assert.deepEqual(partitions([], [3, 1]), [{ part: 'all', sms: [1, 3] }]);
  assert.deepEqual(partitions(['0-1', '3'], [0, 1, 3]), [
    { part: '0-1', sms: [0, 1] },
    { part: '3', sms: [3] },
  ]);
  assert.throws(
    () => partitions(['0-2'], [0, 3]),
    (error: Error) => /CPU 1, 2/.test(error.message),
  );
});

test('a build is another when release, addon or code is, and tests do not count', () => {
  const folder = fresh();
  const addon = join(folder, 'a.node');
  const code = join(folder, 'code');
  mkdirSync(join(code, 'testing'), { recursive: true });
  writeFileSync(addon, 'one');
  writeFileSync(join(code, 'main.js'), '1');
  const first = buildId('1', addon, code);
  writeFileSync(join(code, 'main.test.js'), 'x');
  writeFileSync(join(code, 'testing', 'x.js'), 'x');
  assert.equal(buildId('1', addon, code), first);
  assert.notEqual(buildId('2', addon, code), first);
  writeFileSync(join(code, 'main.js'), '2');
  const second = buildId('1', addon, code);
  writeFileSync(addon, 'two');
  assert.equal(new Set([first, second, buildId('1', addon, code)]).size, 3);
});

test("a node's key comes from the fleet's, or is given", () => {
  const node = { node_name: 'n', hmac_key: 'f'.repeat(64) };
  assert.deepEqual(agentKey({ ...node, hmac_key_kind: 'fleet' }), deriveAgentKey(Buffer.from(node.hmac_key), 'n'));
  assert.deepEqual(agentKey({ ...node, hmac_key_kind: 'derived' }), createSecretKey(Buffer.alloc(32, 0xff)));
});

test('an SM whose child dies in the self test has no answers, and wrong ones are told', async () => {
  const wrong = {
    family: 'fma32' as const,
    passed: false,
    result: 'FAIL' as const,
    reason: null,
    executed: 1,
    firstBad: null,
  };
  const answers = await selfTest(
    {
      ask: (async (_call: string, sm: number) =>
        sm === 0 ? { kind: 'answer', value: [wrong] } : { kind: 'crashed', reason: 'gone' }) as never,
    },
    [0, 1],
  );
  assert.deepEqual([...answers.keys()], [0]);
  assert.deepEqual(failures(answers), [{ sm: 0, sentence: 'SM 0 does not reproduce the known answers of fma32' }]);
});

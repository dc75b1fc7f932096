import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { StoredLog } from './storage/backend.js';
import { TEST_KEY } from './testing/ledgers.js';
import { Turns } from './turns.js';
import { MAX_VERIFICATIONS, verifier } from './verifications.js';
import { SourceError } from './verify/source.js';

/** A log that is being opened until told; nobody can read it. */
function slowLog() {
  const gate = Promise.withResolvers<void>();
  const log = { opened: 0, open: gate.resolve };
  const openSource = async (): Promise<StoredLog> => {
    log.opened += 1;
    await gate.promise;
    throw new SourceError('not there');
  };
  return { log, verify: verifier(openSource, TEST_KEY.verifier, () => undefined, new Turns()) };
}

const code = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => 'verified',
    (error: unknown) => (error instanceof SourceError ? 'read' : SentinelError.from(error).code),
  );

it('callers that wait for the same share a run, and few may wait for others', async () => {
  const { log, verify } = slowLog();
  const first = code(verify(0));
  await new Promise(setImmediate);
  const same = Array.from({ length: 50 }, () => code(verify(0)));
  const others = Array.from({ length: MAX_VERIFICATIONS - 2 }, (_, i) => code(verify(i + 1)));
  const refused = await Promise.all([code(verify(1000)), code(verify(1001))]);
  assert.deepEqual(refused, ['RESOURCE_EXHAUSTED', 'RESOURCE_EXHAUSTED']);
  log.open();
  const answers = await Promise.all([first, ...same, ...others]);
  assert.deepEqual(new Set(answers), new Set(['read']));
  assert.equal(
    log.opened,
    MAX_VERIFICATIONS,
    'the one under way, one for all who came later, one for each other depth',
  );
  assert.equal(await code(verify(1000)), 'read', 'and there is room again');
});

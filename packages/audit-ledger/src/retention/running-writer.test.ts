/** Retention of a running writer: an operator's hold and pruning by command, then the cleaning that nobody asks for, while others verify. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '@sentinel/test-kit';
import { parseSigningKey } from '../note/keys.js';
import { AgedLedger, DAY_US, FIRST_DAY_US } from '../testing/aged-ledger.js';
import { draftOf } from '../testing/ledgers.js';
import { WriterProcess } from '../testing/writer-process.js';

const HURRIED = new URL('../testing/hurried-timers.js', import.meta.url).href;
const SLOW = new URL('../testing/slow-removals.js', import.meta.url).href;
/** Long ago: all of it is older than the 365 days of the default. */
const DAYS = 8;
const PER_DAY = 64;
const WAIT_MS = 60_000;

describe('retention of a running writer', () => {
  let writer: WriterProcess;
  let grpc: string;
  before(async () => {
    writer = new WriterProcess({ retention: { cleanup_interval_hours: 1 } });
    const key = parseSigningKey(readFileSync(join(writer.folder, 'ledger.key'), 'utf8').trim());
    // Many files, so that a pruning takes a while.
    const aged = await AgedLedger.open(writer.dataFolder, { key, segmentBytes: 2_000 });
    await aged.grow(DAYS, PER_DAY, 4);
    await aged.opened.close();
    writer.command = [process.execPath, '--import', SLOW];
    ({ grpc } = await writer.start());
    writer.command = [process.execPath];
  });
  after(async () => await writer[Symbol.asyncDispose]());

  /** What `verify --full` of another process says. */
  const verified = async (): Promise<string> => {
    const { code, output } = await writer.run('verify', '--full');
    assert.equal(code, 0, output);
    return output;
  };
  const detailFiles = (): number => readdirSync(join(writer.dataFolder, 'details')).length;
  const remote = async (...args: string[]): Promise<string> => {
    const { code, output } = await writer.run(...args, '--address', grpc);
    assert.equal(code, 0, output);
    return output;
  };

  it('holds and prunes at an operator’s command, each an entry of the log, and another process verifies in the midst of it', async () => {
    await remote('hold', 'add', '--gpu', 'GPU-1', '--reason', 'case 12');
    assert.match(await remote('hold', 'list'), /GPU-1.*case 12/);
    const before = ['--before', new Date((FIRST_DAY_US + (DAYS / 2) * DAY_US) / 1000).toISOString()];
    const planned = await remote('prune', '--dry-run', ...before);
    const [, token = ''] = /--confirm (\S+)/.exec(planned) ?? [];
    const files = detailFiles();
    const pruning = remote('prune', ...before, '--confirm', token);
    let ended = false;
    const end = (): void => {
      ended = true;
    };
    pruning.then(end, end);
    while (detailFiles() === files && !ended) await delay(1);
    process.kill(writer.pid ?? 0, 'SIGSTOP');
    const interrupted = detailFiles();
    await verified().finally(() => process.kill(writer.pid ?? 0, 'SIGCONT'));
    assert.match(await pruning, /entry \d+ announces it, entry \d+ concludes it/);
    assert.ok(detailFiles() < interrupted, 'it was stopped in the midst');
    assert.match(await verified(), /pruned/);
    const wrong = await writer.run('prune', ...before, '--confirm', token, '--address', grpc);
    assert.notEqual(wrong.code, 0, 'a plan is carried out once');
  });

  it('takes what is due when its time has come, but for what is held', async () => {
    assert.equal(await writer.signal('SIGTERM'), 0);
    writer.command = [process.execPath, '--import', HURRIED];
    await writer.start();
    await eventually(() => (/"by":"retention policy".*"log pruned"/.test(writer.output) ? true : null), {
      what: 'it cleaned up by itself',
      timeoutMs: WAIT_MS,
    });
    const events = Array.from({ length: DAYS * PER_DAY }, (_, n) => draftOf(n));
    const gone = events.filter(({ gpu }) => gpu !== 'GPU-1').length;
    assert.match(await verified(), new RegExp(`pruned: ${gone} details of entries`));
  });
});

/** One key signs one log: what a writer does where its log is not. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { type Beginning, beginningOf } from './beginning.js';
import { writeSigningKey } from './note/key-file.js';
import { parseSigningKey, type SigningKey } from './note/keys.js';
import { markUnused } from './note/unused-mark.js';
import { type OpenLedger, openLedger } from './open-ledger.js';
import type { Backend, OpenedStore } from './storage/backend.js';
import { NoLogError, StaleWriterError, StoreFullError } from './storage/errors.js';
import type { SharedStore } from './testing/fork/schedule.js';
import { SHARED_STORES } from './testing/fork/shared-stores.js';
import { AtOnce, Turns } from './testing/fork/turns.js';
import { freshFolder, ledgerOptions } from './testing/ledgers.js';
import { seeded } from './testing/random.js';
import { clientOf, commitEvents, eventOf } from './testing/wire.js';
import { WriterProcess } from './testing/writer-process.js';

/** Logs an event and stops. */
async function logOne(writer: WriterProcess, n: number): Promise<void> {
  const client = clientOf((await writer.start()).grpc);
  const request = { producer: 'test/1', producerEpoch: 0n, firstSequence: 0n, events: [eventOf(n)] };
  await commitEvents(client, request);
  client.close();
  await writer.signal('SIGTERM');
}

function loseLog(writer: WriterProcess): void {
  rmSync(writer.dataFolder, { recursive: true });
  rmSync(`${writer.dataFolder}.guard`);
}

describe('a key that has signed', () => {
  it('begins no second log where its folder and the guard are gone, and nothing is written there', async () => {
    await using writer = new WriterProcess();
    const mark = join(writer.folder, 'ledger.key.unused');
    assert.equal(readFileSync(mark, 'utf8').trim(), writer.verifierKey);
    await logOne(writer, 1);
    assert.ok(!existsSync(mark));
    loseLog(writer);
    for (const _ of [1, 2]) {
      const { code, output } = await writer.run();
      assert.equal(code, 78, output);
      assert.match(output, /there is no log in .*Is its volume mounted\?.*--new-log/);
    }
  });

  it('begins again where an operator says so, once', async () => {
    await using writer = new WriterProcess();
    await logOne(writer, 1);
    loseLog(writer);
    await writer.start('--new-log');
    await writer.signal('SIGTERM');
    const { code, output } = await writer.run('--new-log');
    assert.equal(code, 78, output);
    assert.match(output, /there is a log of 1 entries already/);
    await logOne(writer, 2);
  });
});

for (const kind of ['file', 'scylla'] as const) {
  describe(`a log in ${kind} that was begun and has no entry yet`, () => {
    const folder = dirname(freshFolder());
    const file = join(folder, 'ledger.key');
    let key: SigningKey;
    let place: SharedStore;
    beforeEach(() => {
      writeSigningKey(file, 'sentinel/test');
      key = parseSigningKey(readFileSync(file, 'utf8').trim());
      place = SHARED_STORES[kind](seeded(1));
    });
    afterEach(() => rmSync(file));
    after(() => rmSync(folder, { recursive: true }));

    const beginning = (newLog = false): Beginning =>
      beginningOf({ signing_key: readFileSync(file, 'utf8'), signing_key_path: file, origin: '' }, newLog);
    const open = (by: Beginning, then: (opened: OpenedStore) => unknown = () => undefined): Promise<OpenLedger> => {
      const openWriter = place.openWriter(new AtOnce(new Turns(seeded(1))));
      const backend: Pick<Backend, 'openWriter'> = {
        openWriter: async (options) => {
          const opened = await openWriter(options);
          await then(opened);
          return opened;
        },
      };
      return openLedger({ ...ledgerOptions(backend), key, beginning: by });
    };
    const full = (): Promise<never> => Promise.reject(new StoreFullError(undefined));
    const fails = ({ store }: OpenedStore): void => void Object.assign(store, { commit: full });

    it('is gone on with by whoever looked at the mark before it was taken, and by a next try', async () => {
      for (const newLog of [false, true]) {
        const [first, second] = [beginning(newLog), beginning(newLog)];
        for (const by of [first, second, first]) await assert.rejects(open(by, fails), StoreFullError);
        assert.equal((await open(second)).ledger.checkpoint.size, 1);
        place = SHARED_STORES[kind](seeded(1));
        markUnused(file, key.verifier.text);
      }
    });

    it('is the only one of its key, also for whoever looked at the mark before it was taken', async () => {
      const [first, second] = [beginning(), beginning()];
      await assert.rejects(open(first, fails), StoreFullError);
      place = SHARED_STORES[kind](seeded(1));
      await assert.rejects(open(second), {
        code: 'FAILED_PRECONDITION',
        message: /cannot remove .*ledger\.key\.unused/,
      });
      assert.equal(place.size(), 0);
    });

    it('is left to whoever took it over, and took the mark, meanwhile', async () => {
      const [first, second] = [beginning(), beginning()];
      await assert.rejects(
        open(first, async () => await open(second)),
        StaleWriterError,
      );
      assert.equal((await open(beginning())).ledger.checkpoint.size, 1);
    });

    it('is begun once by a start that was told to begin it, however many tries it takes', async () => {
      const by = beginning(true);
      const unkept = ({ store }: OpenedStore): void => void Object.assign(store, { saveCheckpoint: full });
      await assert.rejects(open(by, unkept), StoreFullError);
      assert.equal(place.size(), 1);
      assert.equal((await open(by)).ledger.checkpoint.size, 1);
      await assert.rejects(open(beginning(true)), /there is a log of 1 entries already/);
      place = SHARED_STORES[kind](seeded(1));
      await assert.rejects(open(by), NoLogError);
    });
  });
}

describe('a log whose guard is not beside it', () => {
  it('is refused where the guard was removed, and called unguarded where it is empty', async () => {
    await using writer = new WriterProcess();
    await logOne(writer, 1);
    const guard = `${writer.dataFolder}.guard`;
    renameSync(guard, `${guard}.away`);
    const { code, output } = await writer.run();
    assert.notEqual(code, 0);
    assert.match(output, /guard is missing: nothing shows whether the log in .* went back in time/);
    renameSync(`${guard}.away`, guard);
    truncateSync(guard, 0);
    const { http } = await writer.start();
    assert.match(writer.output, /CRITICAL: nothing shows whether the log went back in time/);
    const health = (await (await fetch(`http://${http}/health`)).json()) as { unguarded?: string };
    assert.match(health.unguarded ?? '', /guard is empty/);
  });

  it('has one guard by whatever name its folder is reached', async () => {
    await using writer = new WriterProcess();
    await logOne(writer, 1);
    cpSync(writer.dataFolder, `${writer.dataFolder}.copy`, { recursive: true });
    await logOne(writer, 2);
    rmSync(writer.dataFolder, { recursive: true });
    renameSync(`${writer.dataFolder}.copy`, writer.dataFolder);
    const link = join(writer.folder, 'link');
    symlinkSync(writer.dataFolder, link);
    const { code, output } = await writer.run('--override', `data_dir=${link}`);
    assert.notEqual(code, 0);
    assert.match(output, /went back in time: it has 2 entries, a checkpoint of it has 3/);
  });
});

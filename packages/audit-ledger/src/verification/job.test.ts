import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Repair, repairFrom } from '../repair/by-itself.js';
import { RepairJournal } from '../repair/journal.js';
import { recorder } from '../repair/recorder.js';
import { Repairer } from '../repair/repairer.js';
import { fileBackend } from '../storage/file/file-backend.js';
import { FolderSource } from '../storage/file/folder-source.js';
import { AgedLedger, FIRST_DAY_US } from '../testing/aged-ledger.js';
import { flipDetail } from '../testing/flip-detail.js';
import { freshFolder, TEST_KEY } from '../testing/ledgers.js';
import { Turns } from '../turns.js';
import type { VerifyReport } from '../verify/verify-log.js';
import { Condition } from './condition.js';
import { SCRUB_DAYS, VerificationJob } from './job.js';
import { pacer } from './pace.js';
import { readPart, writePart } from './part-file.js';

const INTERVAL_HOURS = 6;
const unhurried = () => () => Promise.resolve();

async function jobOn(folder: string, depth = 256, repair?: Repair, paces: () => () => Promise<void> = unhurried) {
  const path = `${folder}.verification`;
  const condition = new Condition(await readPart(path));
  const reports: VerifyReport[] = [];
  const job = new VerificationJob({
    openSource: () => FolderSource.open(folder),
    key: TEST_KEY.verifier,
    turns: new Turns(),
    condition,
    depth,
    intervalHours: INTERVAL_HOURS,
    nowMs: () => 1_800_000_000_000,
    pacer: paces,
    verified: (report) => reports.push(report),
    save: () => writePart(path, condition.part),
    repair,
  });
  return { job, condition, reports };
}

describe('verification job', () => {
  it('verifies what is new, and everything else within 30 days, across restarts', async () => {
    const aged = await AgedLedger.open(freshFolder());
    await aged.grow(20, 100);
    await aged.prune(4, 4);
    const first = await jobOn(aged.folder);
    await first.job.run();
    assert.deepEqual([first.condition.intact, first.condition.part.size], [true, aged.opened.ledger.checkpoint.size]);
    assert.equal(first.condition.part.atMs, 1_800_000_000_000);
    assert.ok(first.reports.some(({ firstSeq }) => firstSeq === 0));

    await aged.grow(21, 100);
    const read = new Set<number>();
    const runs = (SCRUB_DAYS * 24) / INTERVAL_HOURS;
    for (let run = 0; run < runs; run += 1) {
      const { job, reports } = await jobOn(aged.folder);
      await job.run();
      assert.deepEqual(
        reports.flatMap(({ findings }) => findings),
        [],
      );
      for (const { firstSeq, entries } of reports)
        for (let seq = firstSeq; seq < firstSeq + entries; seq += 1) read.add(seq);
      const { size } = aged.opened.ledger.checkpoint;
      if (Array.from({ length: size }, (_, seq) => seq).every((seq) => read.has(seq))) break;
    }
    const missed = Array.from({ length: aged.opened.ledger.checkpoint.size }, (_, seq) => seq).filter(
      (seq) => !read.has(seq),
    );
    assert.deepEqual(missed, []);
    await aged.opened.close();
  });

  it('names what is damaged until it is as it was, across restarts', async () => {
    const aged = await AgedLedger.open(freshFolder());
    await aged.grow(20, 100);
    await (await jobOn(aged.folder)).job.run();
    flipDetail(aged.folder, '"n":1950}');
    const damaged = await jobOn(aged.folder);
    await damaged.job.run();
    const [seq = -1] = damaged.condition.part.damaged;
    assert.equal(damaged.condition.part.damaged.length, 1);
    const [entry] = await aged.opened.store.readLeaves(seq, seq + 1);
    assert.ok(entry !== undefined && seq > 1950 && seq < 1980, `entry ${seq}`);
    // Far from the newest entries, and the log went on: it is still known.
    await aged.grow(30, 100);
    const later = await jobOn(aged.folder);
    assert.equal(later.condition.intact, false);
    await later.job.run();
    assert.deepEqual(later.condition.part.damaged, [seq]);
    flipDetail(aged.folder, '"o":1950}');
    const repaired = await jobOn(aged.folder);
    await repaired.job.run();
    assert.deepEqual(repaired.condition.part.damaged, []);
    await aged.opened.close();
  });

  it('mends what is damaged by itself where it has a copy, and says so in the log', async () => {
    const aged = await AgedLedger.open(freshFolder());
    await aged.grow(20, 100);
    cpSync(aged.folder, `${aged.folder}.backup`, { recursive: true });
    const { ledger, store } = aged.opened;
    const mended: number[] = [];
    const repairer = new Repairer({
      backend: fileBackend({ directory: aged.folder }),
      key: TEST_KEY.verifier,
      turns: new Turns(),
      journal: new RepairJournal(`${aged.folder}.repair`),
      nowUs: () => FIRST_DAY_US,
      randomBytes,
      record: recorder(ledger),
      repaired: (outcome) => mended.push(...outcome.mended),
    });
    flipDetail(aged.folder, '"n":1950}');
    assert.equal(repairFrom(repairer, []), undefined);
    const { job, condition } = await jobOn(aged.folder, 256, repairFrom(repairer, [`${aged.folder}.backup`]));
    await job.run();
    assert.deepEqual([condition.intact, mended.length], [true, 1]);
    const [entry] = await store.readEntries(ledger.checkpoint.size - 1, ledger.checkpoint.size);
    const detail = JSON.parse(Buffer.from(entry?.detailPreimage?.subarray(17) ?? []).toString()) as {
      [name: string]: unknown;
    };
    assert.deepEqual(
      [detail['event'], detail['by'], detail['entries']],
      ['repair', 'verification', [[mended[0], mended[0]]]],
    );
    assert.deepEqual((await aged.verify()).findings, []);
    await aged.opened.close();
  });

  it('finds a log that does not extend what was verified', async () => {
    const aged = await AgedLedger.open(freshFolder());
    await aged.grow(2, 10);
    const { job, condition } = await jobOn(aged.folder);
    await job.run();
    await aged.opened.close();
    const other = await AgedLedger.open(freshFolder());
    await other.grow(3, 10);
    const forked = new VerificationJob({
      ...{ openSource: () => FolderSource.open(other.folder), key: TEST_KEY.verifier, turns: new Turns(), condition },
      ...{ depth: 1, intervalHours: 6, nowMs: Date.now, pacer: unhurried },
      ...{ verified: () => undefined, save: () => Promise.resolve() },
    });
    await forked.run();
    assert.equal(condition.intact, false);
    await other.opened.close();
  });
});

describe('pacer', () => {
  it('works for no more than its share of the time', async () => {
    let now = 0;
    let worked = 0;
    const pace = pacer(
      0.2,
      () => now,
      (ms) => {
        now += ms;
        return Promise.resolve();
      },
    );
    for (let step = 0; step < 1000; step += 1) {
      now += 3;
      worked += 3;
      await pace();
    }
    assert.ok(worked / now <= 0.21 && worked / now > 0.19, `${worked / now}`);
  });

  it('takes neither an idle time before a slice nor a machine that slept for work', async () => {
    let now = 0;
    const pauses: number[] = [];
    const pause = (ms: number): Promise<void> => {
      pauses.push(ms);
      return Promise.resolve();
    };
    const clock = (): number => {
      now += 10;
      return now;
    };
    const aged = await AgedLedger.open(freshFolder());
    await aged.grow(3, 10);
    const { job } = await jobOn(aged.folder, 256, undefined, () => pacer(0.2, clock, pause));
    now += 6 * 3_600_000;
    await job.run();
    await aged.opened.close();
    assert.ok(pauses.length > 0 && Math.max(...pauses) <= 100, `${Math.max(...pauses)} ms`);
    const pace = pacer(0.2, clock, pause);
    now += 6 * 3_600_000;
    await pace();
    assert.equal(pauses.at(-1), 1_000);
  });
});

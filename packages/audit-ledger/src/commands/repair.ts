import { randomBytes } from 'node:crypto';
import type { DamagedEntry, RepairEntriesRequest } from '@sentinel/contracts/sentinel/v1/audit.js';
import type { Streams } from '@sentinel/service-kit/config';
import { lockDirectory } from '@sentinel/service-kit/directory-lock';
import { EXIT } from '@sentinel/service-kit/errors';
import { type OpenCopy, openCopy } from '../repair/copies.js';
import { RepairJournal, repairJournalPath } from '../repair/journal.js';
import { rangesOf, rangesText } from '../repair/ranges.js';
import { Repairer } from '../repair/repairer.js';
import { copiedBundle, planRepair, type RepairGear, repairEntries } from '../rpc/repair.js';
import { verifierKeyOf } from '../settings.js';
import { selectBackend } from '../storage/select-backend.js';
import { TILE_WIDTH } from '../tiles/path.js';
import { Turns } from '../turns.js';
import type { Command, LedgerProgram } from './index.js';
import { type Operations, operate, operatorName } from './operate.js';

/** Of copies in one request: a message may have 20 MiB, and one bundle be of 16. */
const MAX_REQUEST_BYTES = 2 * 2 ** 20;

type RepairOperations = Pick<Operations, 'planRepair' | 'repair'>;

/** Shows what is damaged and what mends it, or mends it. 1: something is damaged that nothing mends. */
export const repair: Command = async (program, streams) => {
  const { from, 'dry-run': dryRun } = program.flags;
  const places = from === undefined ? program.config.verification.repair_from : [from];
  const copies: OpenCopy[] = [];
  try {
    for (const place of places) copies.push(await openCopy(place));
    const work = async (operations: RepairOperations): Promise<number> =>
      dryRun ? await show(operations, copies, streams) : await mend(operations, copies, streams);
    return await operate(program, work, () => withoutWriter(program, dryRun, work));
  } finally {
    await Promise.all(copies.map((copy) => copy.close()));
  }
};

async function show(operations: RepairOperations, copies: readonly OpenCopy[], streams: Streams): Promise<number> {
  const { damaged, more } = await planned(operations, copies);
  if (damaged.length === 0) streams.stdout.write('Nothing is damaged.\n');
  for (const each of damaged) streams.stdout.write(`${damageText(each)}\n`);
  if (more > 0n) streams.stdout.write(`and ${more} more findings, which a later repair takes\n`);
  return damaged.some(({ lacks }) => lacks.length > 0) ? EXIT.negative : EXIT.ok;
}

async function mend(operations: RepairOperations, copies: readonly OpenCopy[], { stdout }: Streams): Promise<number> {
  const { damaged, more } = await planned(operations, copies);
  if (damaged.length === 0) stdout.write('Nothing is damaged.\n');
  let left = 0;
  for (const request of await requestsFor(damaged, copies)) {
    const done = await operations.repair(request);
    for (const each of done.damaged) stdout.write(`${damageText(each)}\n`);
    const mended = done.mended.length === 0 ? 'nothing' : `entries ${rangesText(rangesOf(done.mended.map(Number)))}`;
    const recorded = done.seq === 0n ? 'a writer records it when it starts' : `entry ${done.seq} says so`;
    stdout.write(`mended     ${mended}; ${recorded}\n`);
    for (const { seq, what } of done.left) stdout.write(`NOT MENDED entry ${seq}: ${what}\n`);
    left += done.left.length;
  }
  if (more > 0n) stdout.write(`and ${more} more findings: run repair again\n`);
  return left === 0 && more === 0n ? EXIT.ok : EXIT.negative;
}

/** Asked twice: first for what is damaged, then with what copies hold of it. */
async function planned(operations: RepairOperations, copies: readonly OpenCopy[]) {
  const first = await operations.planRepair({ copies: [], entries: [] });
  const damaged: DamagedEntry[] = [];
  for (const request of await requestsFor(first.damaged, copies))
    damaged.push(...(await operations.planRepair(request)).damaged);
  return { damaged, more: first.more };
}

/** What copies hold of the damaged entries, in messages that are not too large. */
async function requestsFor(
  damaged: readonly DamagedEntry[],
  copies: readonly OpenCopy[],
): Promise<RepairEntriesRequest[]> {
  const requests: RepairEntriesRequest[] = [];
  let bytes = Number.POSITIVE_INFINITY;
  const byBundle = Map.groupBy(damaged, ({ seq }) => Math.floor(Number(seq) / TILE_WIDTH));
  for (const [index, entries] of byBundle) {
    const parts = await Promise.all(copies.map(async (copy) => copiedBundle(await copy.bundle(index))));
    if (bytes > MAX_REQUEST_BYTES) {
      requests.push({ copies: copies.map(({ name }) => ({ name, bundles: [] })), entries: [] });
      bytes = 0;
    }
    const request = requests.at(-1);
    parts.forEach((part, i) => {
      request?.copies[i]?.bundles.push(part);
      bytes += [...part.leaves, ...part.preimages].reduce((sum, item) => sum + item.length, 0);
    });
    request?.entries.push(...entries.map(({ seq }) => seq));
  }
  return requests;
}

/** A log that no writer can open: it is mended first, and the next writer records that. */
async function withoutWriter<T>(
  program: LedgerProgram,
  dryRun: boolean,
  work: (operations: RepairOperations) => Promise<T>,
): Promise<T> {
  const { config } = program;
  const backend = selectBackend(config);
  const lock = backend.name === 'file' ? await lockDirectory(config.data_dir) : undefined;
  try {
    const repairer = new Repairer({
      ...{
        backend,
        key: verifierKeyOf(config),
        turns: new Turns(),
        journal: new RepairJournal(repairJournalPath(config)),
      },
      ...{ nowUs: () => Date.now() * 1000, randomBytes, record: undefined, repaired: () => undefined },
    });
    const gear: RepairGear = { repairer, note: () => '' };
    return await work({
      planRepair: (request) => planRepair(gear, request),
      repair: (request) => repairEntries(gear, request, operatorName()),
    });
  } finally {
    await lock?.release();
    // Whoever opens the log as its writer records what is in the journal.
    if (!dryRun) await operate(program, () => Promise.resolve()).catch(() => undefined);
  }
}

function damageText({ seq, what, from, lacks }: DamagedEntry): string {
  const source = from.length === 0 ? 'the log itself has what mends it' : `${from.join(' and ')} has what mends it`;
  const told = lacks.length === 0 ? source : `nobody has its ${lacks.join(' and ')}`;
  return `damaged    entry ${seq}: ${what}; ${told}`;
}

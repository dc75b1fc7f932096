/** Opens a log in a cluster as its one writer: makes its tables, takes it, recovers it, and refuses one that went back in time. */
import { type CqlConfig, makeKeyspace } from '@sentinel/service-kit/cql/connect';
import { allRows } from '@sentinel/service-kit/cql/rows';
import { migrateUp } from '@sentinel/service-kit/cql/schema-steps';
import { MAX_GROUP_ENTRIES } from '../../commit/ledger.js';
import { EventWindow } from '../../ingest/event-window.js';
import type { OpenedStore, OpenWriterOptions } from '../backend.js';
import { StaleWriterError, TamperedStoreError } from '../errors.js';
import { assertMayBegin, assertSameLog, compareWithGuards, unguardedReason } from '../guard.js';
import { EMPTY_HEAD } from '../head.js';
import { type CheckpointTable, readCheckpoints, type StoredCheckpoint } from './checkpoints.js';
import { Cluster, explain, SECTION } from './cluster.js';
import { bundleStart } from './geometry.js';
import { HeadRow, type ScyllaHead, type StoredHead } from './head-row.js';
import { logNames } from './log-names.js';
import { LogRows } from './log-rows.js';
import { readMarks } from './marks.js';
import { LEDGER_SCHEMA } from './migrations/index.js';
import { NewestBlock } from './newest-block.js';
import { Presence } from './presence.js';
import { prunedIn } from './pruned-rows.js';
import { nodesOf, recover } from './recover.js';
import { ScyllaReads } from './scylla-reads.js';
import { ScyllaStore } from './scylla-store.js';

export interface ScyllaPlace {
  readonly config: CqlConfig;
  /** How long a commit may wait to learn its outcome. */
  readonly patienceMs: number;
}

/**
 * @throws SentinelError UNAVAILABLE while the cluster is away, FAILED_PRECONDITION where settings have to change or another writer is at
 * work; NoLogError, TamperedStoreError, RollbackError, StaleWriterError, MalformedHeadError
 */
export async function openScyllaStore(place: ScyllaPlace, options: OpenWriterOptions): Promise<OpenedStore> {
  const { config } = place;
  await makeKeyspace(config, SECTION);
  const cluster = await Cluster.connect(config);
  let presence: Presence | undefined;
  try {
    await migrateUp(cluster.client, LEDGER_SCHEMA).catch((error: unknown) => {
      throw explain(error);
    });
    const rows = new LogRows(cluster, options.verifier.name);
    await assertOnlyLog(rows, config);
    presence = await Presence.claim(rows, Buffer.from(options.newEpochId));
    return await openLog(rows, presence, { keyspace: config.keyspace, patienceMs: place.patienceMs }, options);
  } catch (error) {
    await presence?.release();
    await cluster.close();
    throw error;
  }
}

/** The part of a start that the head's lightweight transactions guard. */
export async function openLog(
  rows: LogRows,
  presence: Pick<Presence, 'release'>,
  { keyspace, patienceMs }: { readonly keyspace: string; readonly patienceMs: number },
  options: OpenWriterOptions,
): Promise<OpenedStore> {
  const headRow = new HeadRow(rows.cluster, rows.log, patienceMs);
  const before = Object.values(await allCheckpoints(rows)).flat();
  const taken = await takeOver(rows, headRow, before, { ...options, keyspace });
  // Now that nobody else can commit: a writer that had the log until here may have signed more than was there a moment ago.
  const earlier = await allCheckpoints(rows, taken.epoch);
  const head = { ...taken, producers: await readMarks(rows, taken.commits) };
  const pruned = await prunedIn(rows, head);
  rows.prunedLeaves = pruned.leaves;
  const newest = new NewestBlock(rows, head.size);
  const { state, shadow, seals, unsealed, recomputed } = await recover(rows, head, newest, pruned);
  await assertSameLog(
    new ScyllaReads(
      rows,
      newest.index,
      () => head.size,
      () => pruned,
    ),
    head,
    options.verifier,
  );
  const guards = Object.entries(earlier).flatMap(([table, stored]) =>
    stored.map(({ note }) => ({ place: `${keyspace}.${table}`, note })),
  );
  const guarded = { place: keyspace, head, nodes: nodesOf(rows, head.size) };
  const lost = await compareWithGuards(guarded, guards, options);
  const inGuard = earlier.rollback_guard.length > 0 ? 'there' : 'missing';
  const unguarded = unguardedReason(guarded, { place: `${keyspace}.rollback_guard`, state: inGuard }, options);
  const window = await newest.fillWindow(new EventWindow(), options.nowUs);
  const store = new ScyllaStore({ rows, headRow, newest, presence, unsealed, earlier, pruned, patienceMs }, head);
  return { store, state, shadow, window, seals, lost, unguarded, recomputed };
}

/** Of writers before `epoch`. */
async function allCheckpoints(rows: LogRows, epoch = Number.POSITIVE_INFINITY) {
  const of = async (table: CheckpointTable): Promise<StoredCheckpoint[]> =>
    (await readCheckpoints(rows, table)).filter((stored) => stored.epoch < epoch);
  return { checkpoints: await of('checkpoints'), rollback_guard: await of('rollback_guard') };
}

/** A new epoch before anything is changed: from here on a writer that still believes it owns the log commits nothing. */
async function takeOver(
  rows: LogRows,
  headRow: HeadRow,
  checkpoints: readonly StoredCheckpoint[],
  options: OpenWriterOptions & { readonly keyspace: string },
): Promise<ScyllaHead> {
  const stored = await headRow.read();
  if (stored !== undefined && stored.damaged !== '')
    throw new TamperedStoreError(`the head says another ${stored.damaged} than its row`);
  if (stored === undefined && checkpoints.length > 0)
    throw new TamperedStoreError('there are checkpoints of the log, but its head is missing');
  if (stored === undefined)
    assertMayBegin({ place: `keyspace ${options.keyspace}`, setting: `${SECTION}.keyspace` }, [], options);
  const before = stored?.head ?? EMPTY;
  const epoch =
    1 + Math.max(before.epoch, ...checkpoints.map((each) => each.epoch), ...(await leftEpochs(rows, before)));
  const owner = Buffer.from(options.newEpochId).toString('hex');
  const head = { ...before, generation: before.generation + 1, epoch, owner };
  if (await headRow.takeOver(stored?.head, head)) return head;
  throw new StaleWriterError();
}

/** Of batches beyond the head. Only a cluster that was restored from an inconsistent copy has some of an epoch above the head's. */
async function leftEpochs(rows: LogRows, { size }: StoredHead['head']): Promise<number[]> {
  return await allRows(rows.epochs(bundleStart(size), size + MAX_GROUP_ENTRIES));
}

/** A keyspace holds one log: a new key by mistake must not begin another one in silence. */
async function assertOnlyLog({ cluster, log }: LogRows, { keyspace }: CqlConfig): Promise<void> {
  const other = (await logNames(cluster)).find((name) => name !== log);
  if (other === undefined) return;
  throw new TamperedStoreError(
    `keyspace ${keyspace} holds the log ${other}, but signing_key is that of ${log}: configure the key that made the log, or another keyspace`,
  );
}

const EMPTY: ScyllaHead = { ...EMPTY_HEAD, firstUnsealedSeq: 0, storedBytes: 0, owner: '' };

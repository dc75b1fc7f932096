import type { Kysely } from 'kysely';
import { type CoreState, loadState, type SavedState, saveState } from '../core.js';
import { savedState } from '../store/loaded-state.js';
import type { ProposalTable, Tables } from '../store/schema.js';
import { KEPT_SNAPSHOTS } from '../store/writer.js';
import { type Difference, firstDifference, inNameOrder } from './difference.js';
import { spoolName } from './remembered.js';
import { type Compared, type Disagreement, named } from './report.js';
import type { SchemaSteps } from './schema-steps.js';

/** What a replay has at its end. */
export interface ReplayedEnd {
  readonly state: CoreState;
  readonly proposals: ReadonlyMap<string, ProposalTable>;
  /** The newest of them suffice. */
  readonly snapshots: readonly Tables['trust_snapshots'][];
  /** Highest sequence of each spool. */
  readonly watermarks: ReadonlyMap<string, number>;
  /** What no record after this one changed is not compared; 0 = everything is. */
  readonly after: number;
}

export interface StateComparison {
  readonly counts: Partial<Record<Compared, number>>;
  readonly disagreement: Disagreement | undefined;
}

/** Compares what is stored at the end of the log with what the replay came to. @param firstUs time of the first record */
export async function compareState(
  db: Kysely<Tables>,
  end: ReplayedEnd,
  steps: SchemaSteps,
  firstUs: number,
): Promise<StateComparison> {
  const upgraded = firstUs < steps.newestUs;
  const [before, now] = [await storedState(db, end.state), saveState(end.state)];
  const devices = upgraded ? withoutTold : devicesOf;
  const counters = firstUs < steps.at('0004-exposure') ? withoutFirstRun : same;
  const proposals = await db.selectFrom('proposals').selectAll().where('commit_seq', '>', end.after).execute();
  const since = steps.at('0005-proposals');
  const replayedProposals = [...end.proposals.values()].filter((row) => row.proposed_us >= since);
  const snapshots = new Map((await storedSnapshots(db, end)).map(bySnapshotTime));
  const taken = end.snapshots.filter(({ taken_us }) => taken_us >= steps.at('0006-trust-snapshots'));
  const parts: [Compared, string, ReadonlyMap<string, unknown>, ReadonlyMap<string, unknown>][] = [
    ['devices', 'device', devices(before), devices(now)],
    ['nodes', 'node', byNode(before.nodes), byNode(now.nodes)],
    ['saved', 'what was saved on', savedDigests(before), savedDigests(now)],
    ['facts', 'facts', facts(before), facts(now)],
    ['counters', 'counters of', counters(before), counters(now)],
    ['proposals', 'proposal', byRowId(proposals), byRowId(replayedProposals)],
    ['spools', 'watermark of spool', await storedWatermarks(db, end), end.watermarks],
    ['snapshots', 'snapshot', snapshots, new Map(taken.slice(-KEPT_SNAPSHOTS).map(bySnapshotTime))],
  ];
  const counts: Partial<Record<Compared, number>> = {};
  for (const [kind, what, stored, replayed] of parts) {
    const disagreement = different(what, stored, replayed, upgraded);
    if (disagreement !== undefined) return { counts, disagreement };
    if (replayed.size > 0) counts[kind] = replayed.size;
  }
  return { counts, disagreement: undefined };
}

/** As an engine would load it: rows of an earlier release are completed. */
async function storedState(db: Kysely<Tables>, replayed: CoreState): Promise<SavedState> {
  const rows = await db.selectFrom('facts').selectAll().execute();
  const fact = <T>(name: string): T | null => (rows.find((row) => row.name === name)?.body as T | undefined) ?? null;
  const loaded = {
    devices: (await db.selectFrom('devices').select('body').execute()).map(({ body }) => body),
    nodes: (await db.selectFrom('nodes').select('body').execute()).map(({ body }) => body),
    saved: (await db.selectFrom('saved_digests').select('body').execute()).map(({ body }) => body),
    counters: await db.selectFrom('counters').selectAll().execute(),
    fleet: fact<CoreState['fleet']>('fleet'),
    config: fact<CoreState['config']>('config'),
    canaries: fact<CoreState['canaries']>('canaries'),
  };
  return saveState(loadState(savedState(loaded, replayed.config)));
}

/** Those that were taken since then. */
function storedSnapshots(db: Kysely<Tables>, { after, snapshots }: ReplayedEnd): Promise<Tables['trust_snapshots'][]> {
  const all = db.selectFrom('trust_snapshots').selectAll();
  if (after === 0) return all.execute();
  return all.where('taken_us', '>=', snapshots[0]?.taken_us ?? Number.MAX_SAFE_INTEGER).execute();
}

/** Of spools that brought something, since then. */
async function storedWatermarks(db: Kysely<Tables>, { watermarks, after }: ReplayedEnd): Promise<Map<string, number>> {
  const rows = await db.selectFrom('spools').selectAll().where('committed_through', '>', 0).execute();
  const all = new Map(rows.map((row) => [spoolName(row.node, row.spool_id), row.committed_through]));
  return after === 0 ? all : new Map([...all].filter(([spool]) => watermarks.has(spool)));
}

/** Rows of a table: their members have no order. */
function byRowId(rows: readonly ProposalTable[]): Map<string, unknown> {
  return new Map(rows.map((row) => [row.id, inNameOrder(row)]));
}

function facts({ fleet, config, canaries = null }: SavedState): Map<string, unknown> {
  return new Map<string, unknown>([
    ['fleet', fleet],
    ['config', config],
    ['canaries', canaries],
  ]);
}

function same({ exposure }: SavedState): Map<string, unknown> {
  return new Map(exposure.map((row) => [`${row.deviceId}, family ${row.family}`, row]));
}

/** Rows of an earlier release say since when a node is registered instead. */
function withoutFirstRun(saved: SavedState): Map<string, unknown> {
  const rows = saved.exposure.map((row) => ({ ...row, firstRunUs: 0 }));
  return same({ ...saved, exposure: rows });
}

function devicesOf({ devices }: SavedState): Map<string, unknown> {
  return new Map(devices.map((device) => [device.id, device]));
}

/** Earlier releases did not count what the ledger was told of. */
function withoutTold(saved: SavedState): Map<string, unknown> {
  return devicesOf({ ...saved, devices: saved.devices.map((device) => ({ ...device, told: null })) });
}

function byNode(nodes: SavedState['nodes']): Map<string, unknown> {
  return new Map(nodes.map((node) => [node.node, node]));
}

function savedDigests({ saved = [] }: SavedState): Map<string, unknown> {
  return new Map(saved.map((row) => [`node ${row.node} by job ${row.job}`, row]));
}

function bySnapshotTime(row: Tables['trust_snapshots']): [string, unknown] {
  return [`of ${row.taken_us}`, row.body];
}

function different(
  what: string,
  stored: ReadonlyMap<string, unknown>,
  replayed: ReadonlyMap<string, unknown>,
  anyOrder: boolean,
): Disagreement | undefined {
  for (const id of [...new Set([...stored.keys(), ...replayed.keys()])].sort()) {
    const found = difference(stored.get(id), replayed.get(id), anyOrder);
    if (found !== undefined) return named(`${what} ${id}`, null, found);
  }
  return undefined;
}

/** An engine that completed what an earlier release stored put members in another order than one that made them. */
function difference(stored: unknown, replayed: unknown, anyOrder: boolean): Difference | undefined {
  return anyOrder ? firstDifference(inNameOrder(stored), inNameOrder(replayed)) : firstDifference(stored, replayed);
}

/** What is served to anybody who verifies: checkpoint and tiles at the paths of C2SP tlog-tiles, and the audit trail as JSON. */
import { AuditEntry, AuditType, GetPrunedResponse } from '@sentinel/contracts/sentinel/v1/audit.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { RpcContext } from '../rpc/context.js';
import { queryAuditTrail } from '../rpc/query.js';
import { getPruned } from '../rpc/retention.js';
import { encodeBundle } from '../tiles/bundle.js';
import { parseTilePath, TILE_WIDTH, type Tile, tileWidth } from '../tiles/path.js';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly body: string | Uint8Array;
}

const IMMUTABLE = 'public, max-age=31536000, immutable';
const NEVER = 'no-cache';

/** @throws SentinelError NOT_FOUND, INVALID_ARGUMENT */
export async function answer(context: RpcContext, url: URL): Promise<Answer> {
  const { pathname } = url;
  if (pathname === '/checkpoint') return ok('text/plain; charset=utf-8', NEVER, context.view().checkpoint.note);
  if (pathname === '/health') return health(context);
  if (pathname === '/api/v1/audit') return await auditTrail(context, url.searchParams);
  if (pathname === '/api/v1/keys') return await keys(context);
  if (pathname === '/api/v1/pruned') return json(GetPrunedResponse.toJSON(getPruned(context)));
  const tile = parseTilePath(pathname.slice(1));
  const body = tile === null ? undefined : await tileBytes(context, tile);
  if (tile === null || body === undefined) {
    throw new SentinelError({
      code: 'NOT_FOUND',
      message: `nothing is served at ${pathname}`,
      hint: 'See /checkpoint and C2SP tlog-tiles.',
    });
  }
  return ok('application/octet-stream', tile.width === TILE_WIDTH ? IMMUTABLE : NEVER, body);
}

async function keys(context: RpcContext): Promise<Answer> {
  const { current, rotations } = await context.keys();
  const notes = rotations.map(({ note }) => note);
  return json({ current, rotations: notes, entries: rotations.map(({ seq }) => seq) });
}

/** Only what the newest signed checkpoint covers. */
async function tileBytes({ view }: RpcContext, tile: Tile): Promise<Uint8Array | undefined> {
  const { checkpoint, reads } = view();
  const { size } = checkpoint;
  const level = tile.kind === 'entries' ? 0 : tile.level;
  if (tile.width > tileWidth(size, level, tile.index)) return undefined;
  if (tile.kind === 'hashes') return await reads.readTile(tile);
  const first = tile.index * TILE_WIDTH;
  if (first < reads.pruned.leaves) throw bundlePruned(tile.index);
  const leaves = await reads.readLeaves(first, first + tile.width);
  return encodeBundle(leaves.filter((leaf) => leaf !== undefined));
}

function bundlePruned(index: number): SentinelError {
  return new SentinelError({
    code: 'NOT_FOUND',
    reason: 'PRUNED',
    message: `entry bundle ${index} was pruned; the hash tiles are complete`,
    hint: '/api/v1/pruned names the entries of the log that say so; /api/v1/audit gives those of the bundle that were kept.',
  });
}

async function auditTrail(context: RpcContext, query: URLSearchParams): Promise<Answer> {
  const order = query.get('order') ?? 'desc';
  if (order !== 'asc' && order !== 'desc') throw invalid('order', 'must be asc or desc');
  const { entries, nextPageToken, checkpoint, prunedBefore } = await queryAuditTrail(context, {
    gpu: query.get('gpu') ?? '',
    type: typeOf(query.get('type') ?? ''),
    startUs: count(query, 'start_us'),
    endUs: count(query, 'end_us'),
    limit: Number(count(query, 'limit')),
    pageToken: query.get('page_token') ?? '',
    oldestFirst: order === 'asc',
  });
  return json({
    entries: entries.map((entry) => AuditEntry.toJSON(entry)),
    nextPageToken,
    checkpoint,
    prunedBefore: String(prunedBefore),
  });
}

function typeOf(name: string): AuditType {
  if (name === '') return AuditType.UNSPECIFIED;
  const type = Object.entries(AuditType).find(([known]) => known === name.toUpperCase())?.[1];
  if (type === undefined || type < 1)
    throw invalid('type', 'must be one of probe, anomaly, decision, agreement, configuration, system, approval');
  return type;
}

function count(query: URLSearchParams, name: string): bigint {
  const text = query.get(name) ?? '0';
  if (!/^\d{1,15}$/.test(text)) throw invalid(name, 'must be a whole number');
  return BigInt(text);
}

function invalid(field: string, why: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', field, message: `${field} ${why}` });
}

function health(context: RpcContext): Answer {
  const { healthy, report } = context.health();
  return { ...json(report), status: healthy ? 200 : 503 };
}

function json(value: unknown): Answer {
  return ok('application/json', NEVER, JSON.stringify(value));
}

function ok(contentType: string, cacheControl: string, body: string | Uint8Array): Answer {
  return { status: 200, contentType, cacheControl, body };
}

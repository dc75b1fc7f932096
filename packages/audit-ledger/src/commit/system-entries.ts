/** Entries that the ledger writes about itself. */
import { canonicalJson, type JsonValue } from '../detail/canonical.js';
import { LeafType } from '../leaf/leaf.js';
import type { PendingRepair } from '../repair/journal.js';
import type { Head, Landmark } from '../storage/head.js';
import { sha256 } from '../tree/hash.js';
import type { Draft } from './build.js';
import { LEDGER_PRODUCER } from './ledger-producer.js';

export const LOG_FORMAT = 1;

/** What only the ledger says, now or in a later version: a seal or a repair that somebody else sent would be a forgery. */
export const LEDGER_EVENTS: ReadonlySet<string> = new Set([
  'genesis',
  'seal',
  'prune',
  'hold',
  'repair',
  'key_rotation',
  'rollback_accepted',
  'event_id_conflict',
]);

export function systemDraft(detail: JsonValue, nowUs: number, eventId: Uint8Array): Draft {
  return {
    type: LeafType.system,
    injected: false,
    eventUs: nowUs,
    eventId: asUuidV8(eventId),
    producer: LEDGER_PRODUCER,
    gpu: '',
    detail: Buffer.from(canonicalJson(detail)),
  };
}

/** One of the entries that the head names; it names the one before it of its kind as `previous`. */
export function landmarkDraft(
  landmark: Landmark,
  detail: { readonly [key: string]: JsonValue },
  { landmarks }: Pick<Head, 'landmarks'>,
  nowUs: number,
  eventId: Uint8Array,
): Draft {
  const previous = landmarks[landmark];
  const linked = { ...detail, event: landmark, ...(previous === undefined ? {} : { previous }) };
  return { ...systemDraft(linked, nowUs, eventId), landmark };
}

/** Entry 0: what the log is called, who signs it and how it is written. */
export function genesisDraft(origin: string, logKey: string, nowUs: number, eventId: Uint8Array): Draft {
  return systemDraft({ event: 'genesis', format: LOG_FORMAT, log_key: logKey, origin }, nowUs, eventId);
}

/** A store older than its last known checkpoint was accepted by an operator, or one of which nobody knows; then `lost` is undefined. */
export function rollbackDraft(
  lost: { readonly size: number; readonly root: Uint8Array } | undefined,
  size: number,
  nowUs: number,
  eventId: Uint8Array,
): Draft {
  const known = lost === undefined ? {} : { lost_root: hex(lost.root), lost_size: lost.size };
  return systemDraft({ event: 'rollback_accepted', ...known, size }, nowUs, eventId);
}

/**
 * An event was refused because its id belongs to another, that of entry `seq` or one of the same request. Its own id is
 * derived from all that makes the refused one, so that a retry is recorded once and another refusal again.
 * @param unrecorded refusals before it that were too many to be recorded
 */
export function conflictDraft(refused: Draft, producer: string, seq: number | undefined, unrecorded: number): Draft {
  const { type, injected, gpu, eventUs } = refused;
  const detail = {
    event: 'event_id_conflict',
    event_id: hex(refused.eventId),
    producer,
    refused: { detail_sha256: hex(sha256(refused.detail)), event_us: eventUs, gpu, injected, type },
    ...(seq === undefined ? {} : { seq }),
    ...(unrecorded === 0 ? {} : { unrecorded }),
  };
  return systemDraft(detail, refused.eventUs, sha256(Buffer.from(canonicalJson(detail))).subarray(0, 16));
}

/** Entries were put back as they were signed; recorded again it is the same entry. */
export function repairDraft({ id, atUs, detail }: PendingRepair): Draft {
  return systemDraft(detail, atUs, Buffer.from(id, 'hex'));
}

/** Marks 16 bytes as a UUID of version 8, variant 10. */
function asUuidV8(bytes: Uint8Array): Buffer {
  const id = Buffer.from(bytes);
  id[6] = ((id[6] ?? 0) & 0x0f) | 0x80;
  id[8] = ((id[8] ?? 0) & 0x3f) | 0x80;
  return id;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

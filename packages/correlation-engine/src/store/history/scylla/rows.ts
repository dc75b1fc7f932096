import { long } from '@sentinel/service-kit/cql/rows';
import type { types } from 'cassandra-driver';
import type { HistoryRecord } from '../history-record.js';
import { pack, unpack } from './pack.js';

const DAY_US = 86_400_000_000;

/** The day (UTC) of a time, counted from 1970. */
export function dayOf(us: number): number {
  return Math.floor(us / DAY_US);
}

export const INSERT_RECORD = `INSERT INTO records (node, day, commit_seq, spool_id, sequence, offset_us, devices, payload)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TTL ? AND TIMESTAMP ?`;

/** What `recordOf` takes. */
export const RECORD_COLUMNS =
  'node, commit_seq, spool_id, sequence, offset_us, devices, payload, writetime(payload) AS now_us';

export function recordRow(record: HistoryRecord, ttlSeconds: number): unknown[] {
  const { node, spoolId, nowUs, payload } = record;
  return [
    node,
    dayOf(nowUs),
    long(record.commitSeq),
    Buffer.from(spoolId, 'hex'),
    long(record.sequence),
    long(record.offsetUs),
    record.devices,
    pack(payload, nowUs),
    ttlSeconds,
    long(nowUs),
  ];
}

export function recordOf(row: types.Row): HistoryRecord {
  const number = (name: string): number => Number(row[name]);
  const nowUs = number('now_us');
  return {
    node: row.node as string,
    spoolId: (row.spool_id as Buffer).toString('hex'),
    sequence: number('sequence'),
    commitSeq: number('commit_seq'),
    nowUs,
    offsetUs: number('offset_us'),
    // The driver gives none for an empty list.
    devices: (row.devices as string[] | null) ?? [],
    payload: unpack(row.payload as Buffer, nowUs),
  };
}

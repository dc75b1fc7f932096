/** Ledgers and events for tests. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Beginning } from '../beginning.js';
import type { Draft } from '../commit/build.js';
import type { LedgerEvents } from '../commit/ledger.js';
import { canonicalJson } from '../detail/canonical.js';
import type { EventRequest } from '../ingest/deduplicate.js';
import { LeafType } from '../leaf/leaf.js';
import { generateSigningKeyText, parseSigningKey } from '../note/keys.js';
import { type OpenLedger, type OpenLedgerOptions, openLedger } from '../open-ledger.js';
import type { Backend } from '../storage/backend.js';
import { fileBackend } from '../storage/file/file-backend.js';
import type { FilePlace } from '../storage/file/open-store.js';

export const TEST_KEY = parseSigningKey(generateSigningKeyText('sentinel/test'));

/** A folder for a log, in a temporary folder of its own so that the guard beside it is too. */
export function freshFolder(): string {
  return join(mkdtempSync(join(tmpdir(), 'sentinel-ledger-')), 'ledger');
}

/** Of a key that no log was begun by. */
export const FIRST: Beginning = { allowed: true, demanded: false, taken: () => undefined };

export interface RecordedEvents extends LedgerEvents {
  readonly refusals: string[];
  readonly fatals: unknown[];
}

export function recordedEvents(): RecordedEvents {
  const refusals: string[] = [];
  const fatals: unknown[] = [];
  return {
    refusals,
    fatals,
    committed: () => undefined,
    refused: (reason) => refusals.push(reason),
    diverged: () => refusals.push('diverged'),
    checkpointNotKept: () => refusals.push('checkpoint'),
    fatal: (error) => fatals.push(error),
  };
}

export async function openTestLedger(
  directory: string,
  { disk, segmentBytes, ...options }: Partial<OpenLedgerOptions> & Omit<FilePlace, 'directory'> = {},
): Promise<OpenLedger> {
  const backend = folderBackend(directory, { disk, segmentBytes });
  return await openLedger({ ...ledgerOptions(backend), ...options });
}

export function folderBackend(
  directory: string,
  {
    disk,
    segmentBytes,
  }: { readonly disk?: FilePlace['disk'] | undefined; readonly segmentBytes?: number | undefined } = {},
): Backend {
  return fileBackend({
    directory,
    ...(disk === undefined ? {} : { disk }),
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
  });
}

export function ledgerOptions(backend: Pick<Backend, 'openWriter'>): OpenLedgerOptions {
  return {
    backend,
    key: TEST_KEY,
    acceptRollback: false,
    beginning: FIRST,
    groupEntries: 8192,
    nowUs: () => Date.now() * 1000,
    randomBytes,
    events: recordedEvents(),
  };
}

export function draftOf(n: number, over: Partial<Draft> = {}): Draft {
  return {
    type: LeafType.decision,
    injected: false,
    eventUs: 1_700_000_000_000_000 + n,
    eventId: randomBytes(16),
    producer: 'test/1',
    gpu: `GPU-${n % 3}`,
    detail: Buffer.from(canonicalJson({ event: 'test', n })),
    ...over,
  };
}

export function requestOf(drafts: readonly Draft[], firstSequence?: number, epoch = 1): EventRequest {
  const numbering = firstSequence === undefined ? undefined : { epoch, firstSequence };
  return { producer: 'test/1', numbering, drafts };
}

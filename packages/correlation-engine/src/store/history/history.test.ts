import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@sentinel/service-kit/logging';
import { HistoryTail } from '../../replay/history-tail.js';
import { FileHistory } from './file-history.js';
import { type HistoryPlace, historyContract } from './testing/contract.js';

/** Small, so that a test has several. */
const SEGMENT_BYTES = 4096;

async function files(): Promise<HistoryPlace> {
  const dir = mkdtempSync(join(tmpdir(), 'sentinel-history-'));
  return {
    open: () => FileHistory.open(dir, silentLogger(), SEGMENT_BYTES),
    log: () => new HistoryTail(dir),
    remove: async () => rmSync(dir, { recursive: true, force: true }),
  };
}

historyContract('segment files', files);

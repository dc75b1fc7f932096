/** Both backends as writers of a schedule share them: the production code over a disk and over a cluster in memory. */
import { join } from 'node:path';
import type { Backend } from '../../storage/backend.js';
import { fileBackend } from '../../storage/file/file-backend.js';
import { layoutOf } from '../../storage/file/layout.js';
import { count, decodeHeadFields } from '../../storage/head.js';
import { LogRows } from '../../storage/scylla/log-rows.js';
import { openLog } from '../../storage/scylla/open-store.js';
import type { Random } from '../random.js';
import { MemoryCluster } from './memory-cluster.js';
import { MemoryDisk } from './memory-disk.js';
import type { SharedStore } from './schedule.js';
import type { Process } from './turns.js';

const FOLDER = '/store/ledger';
const { guard: GUARD, heads: HEADS } = layoutOf(FOLDER);
const LIMITS = { keyspace: 'model', patienceMs: 600_000 };

export const SHARED_STORES: Readonly<Record<Backend['name'], (random: Random) => SharedStore>> = {
  file: () => {
    const disk = new MemoryDisk();
    return {
      steps: 1200,
      openWriter: (process) => fileBackend({ directory: FOLDER, disk: disk.view(process) }).openWriter,
      powerCut: () => disk.powerCut(),
      copy: () => disk.copy(FOLDER),
      size: () => sizeOfHead(disk),
      guardedSize: (powerCuts) => sizeOf(powerCuts ? disk.kept(GUARD) : disk.content(GUARD)),
    };
  },
  scylla: (random) => {
    const cluster = new MemoryCluster(random);
    return {
      steps: 150,
      openWriter: (process: Process) => async (options) => {
        const rows = new LogRows(cluster.view(process), options.verifier.name);
        // That somebody else shows signs of life keeps no writer of a schedule away.
        return await openLog(rows, { release: () => Promise.resolve() }, LIMITS, options);
      },
      // The replicas have what was acknowledged.
      powerCut: () => undefined,
      copy: () => cluster.copy(),
      size: () => cluster.size(),
      guardedSize: () => Math.max(0, ...cluster.secondPlace().map(sizeOf)),
    };
  },
};

function sizeOfHead(disk: MemoryDisk): number {
  const newest = disk
    .names(HEADS)
    .filter((name) => !name.startsWith('tmp.'))
    .sort()
    .at(-1);
  return newest === undefined ? 0 : count(decodeHeadFields(Buffer.from(disk.content(join(HEADS, newest)))), 'size');
}

function sizeOf(note: string): number {
  return Number(note.split('\n')[1] ?? 0);
}

/** Every backend that a test of behaviour runs on. */
import { rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Backend } from '../storage/backend.js';
import { fileBackend } from '../storage/file/file-backend.js';
import { layoutOf } from '../storage/file/layout.js';
import { scyllaBackend } from '../storage/scylla/scylla-backend.js';
import { CASSANDRA, copyTables, dropKeyspace, ownKeyspace, runCql } from './cassandra.js';
import { freshFolder } from './ledgers.js';

/** A place for a log of a test's own. */
export interface TestPlace {
  readonly backend: Backend;
  /** Of `storage` and `data_dir` in a configuration. */
  readonly settings: { readonly [key: string]: unknown };
  /** The log as it is now, without its second place. @returns what puts it back */
  copy(): Promise<() => Promise<void>>;
  /** Takes the second place away. */
  loseGuard(): Promise<void>;
  /** Takes away every tile of a level. */
  loseTiles(level: number): Promise<void>;
  remove(): Promise<void>;
}

export interface BackendKind {
  readonly name: Backend['name'];
  readonly skip: false | string;
  make(): TestPlace;
}

export const BACKENDS: readonly BackendKind[] = [
  { name: 'file', skip: false, make: filePlace },
  { name: 'scylla', skip: CASSANDRA.skip, make: scyllaPlace },
];

function filePlace(): TestPlace {
  const folder = freshFolder();
  return {
    backend: fileBackend({ directory: folder }),
    settings: { data_dir: folder },
    copy: async () => {
      await cp(folder, `${folder}.copy`, { recursive: true });
      return async () => {
        rmSync(folder, { recursive: true });
        await cp(`${folder}.copy`, folder, { recursive: true });
      };
    },
    loseGuard: () => Promise.resolve(rmSync(layoutOf(folder).guard)),
    loseTiles: (level) => Promise.resolve(rmSync(join(layoutOf(folder).hashes, String(level)), { recursive: true })),
    remove: () => Promise.resolve(rmSync(dirname(folder), { recursive: true, force: true })),
  };
}

const LOG_TABLES = ['heads', 'leaves', 'details', 'hashes', 'marks', 'blocks', 'event_ids', 'checkpoints'];

function scyllaPlace(): TestPlace {
  const cluster = ownKeyspace();
  // The twin of a secret is not given together with it.
  const { password_path: _, ...scylla } = cluster;
  return {
    backend: scyllaBackend(cluster),
    settings: { storage: { backend: 'scylla', scylla } },
    copy: async () => await copyTables(cluster, LOG_TABLES),
    loseGuard: async () => {
      await runCql(cluster, 'TRUNCATE rollback_guard');
    },
    loseTiles: async (level) => {
      const [row] = await runCql(cluster, 'SELECT log FROM heads');
      await runCql(cluster, `DELETE FROM hashes WHERE log = '${row?.log}' AND level = ${level} AND bucket = 0`);
    },
    remove: async () => await dropKeyspace(cluster),
  };
}

/** Which backend the configuration asks for. */
import type { AuditLedgerConfig } from '@sentinel/service-kit/config';
import type { Backend } from './backend.js';
import { dataFolder } from './data-folder.js';
import { fileBackend } from './file/file-backend.js';
import { scyllaBackend } from './scylla/scylla-backend.js';

export function selectBackend({ storage, data_dir }: Pick<AuditLedgerConfig, 'storage' | 'data_dir'>): Backend {
  return isClustered({ storage }) ? scyllaBackend(storage.scylla) : fileBackend({ directory: dataFolder(data_dir) });
}

/** `auto` is the cluster where it has contact points. */
export function isClustered({ storage }: Pick<AuditLedgerConfig, 'storage'>): boolean {
  return storage.backend === 'scylla' || (storage.backend === 'auto' && storage.scylla.contact_points.length > 0);
}

/** The backend, and the key (relative to the section) that selects it. */
export function selection({ storage }: Pick<AuditLedgerConfig, 'storage'>): { name: Backend['name']; setting: string } {
  const name = isClustered({ storage }) ? 'scylla' : 'file';
  const byPoints = storage.backend === 'auto' && name === 'scylla';
  return { name, setting: byPoints ? 'storage.scylla.contact_points' : 'storage.backend' };
}

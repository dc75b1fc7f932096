/** Which backend the configuration asks for. */
import type { AuditLedgerConfig } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Backend } from './backend.js';
import { fileBackend } from './file/file-backend.js';

/** @throws SentinelError UNIMPLEMENTED for the cluster backend */
export function selectBackend({ storage, data_dir }: Pick<AuditLedgerConfig, 'storage' | 'data_dir'>): Backend {
  const cluster =
    storage.backend === 'scylla' || (storage.backend === 'auto' && storage.scylla.contact_points.length > 0);
  if (!cluster) return fileBackend({ directory: data_dir });
  throw new SentinelError({
    code: 'UNIMPLEMENTED',
    field: 'audit_ledger.storage.backend',
    message: 'the scylla backend is not part of this version',
    hint: 'Set audit_ledger.storage.backend to file.',
  });
}

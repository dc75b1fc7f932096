/** AuditService: which method is whose, and who may call it. */
import { type AuditServiceServer, AuditServiceService } from '@sentinel/contracts/sentinel/v1/audit.js';
import type { Role } from '@sentinel/service-kit/auth';
import { type ServiceEntry, unary } from '@sentinel/service-kit/grpc-server';
import type { RpcContext } from './context.js';
import { publicReadError } from './errors.js';
import { getCheckpoint, getConsistencyProof, getInclusionProof } from './proofs.js';
import { queryAuditTrail } from './query.js';
import { getPruned } from './retention.js';
import { verifyChain } from './verify-chain.js';

/** `service` is any component of a plaintext loopback installation. */
const MAY_INGEST: readonly Role[] = ['engine', 'monitor', 'service', 'admin'];
const MAY_PRUNE: readonly Role[] = ['operator', 'admin'];

/** How this process changes the log, or refuses to. */
export type WriteMethods = Pick<
  AuditServiceServer,
  'ingestEvents' | 'ingestStream' | 'planPruning' | 'pruneEntries' | 'addHold' | 'removeHold' | 'listHolds'
>;

async function read<T>(reading: Promise<T>): Promise<T> {
  return await reading.catch((error: unknown) => {
    throw publicReadError(error);
  });
}

export function auditService(context: RpcContext, writes: WriteMethods): ServiceEntry {
  const { log } = context;
  const implementation: AuditServiceServer = {
    ...writes,
    verifyChain: unary((request) => verifyChain(context, request), log),
    queryAuditTrail: unary((request) => read(queryAuditTrail(context, request)), log),
    getCheckpoint: unary(() => getCheckpoint(context), log),
    getInclusionProof: unary((request) => read(getInclusionProof(context, request)), log),
    getConsistencyProof: unary((request) => read(getConsistencyProof(context, request)), log),
    getPruned: unary(() => getPruned(context), log),
  };
  return {
    definition: AuditServiceService,
    implementation,
    roles: {
      IngestEvents: MAY_INGEST,
      IngestStream: MAY_INGEST,
      VerifyChain: 'anyone',
      QueryAuditTrail: 'anyone',
      GetCheckpoint: 'anyone',
      GetInclusionProof: 'anyone',
      GetConsistencyProof: 'anyone',
      GetPruned: 'anyone',
      PlanPruning: MAY_PRUNE,
      PruneEntries: MAY_PRUNE,
      AddHold: MAY_PRUNE,
      RemoveHold: MAY_PRUNE,
      ListHolds: 'anyone',
    },
  };
}

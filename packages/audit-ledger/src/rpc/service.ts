/** AuditService: which method is whose, and who may call it. */
import type { handleBidiStreamingCall, handleUnaryCall } from '@grpc/grpc-js';
import {
  type AuditServiceServer,
  AuditServiceService,
  type IngestEventsResponse,
  type IngestStreamResponse,
} from '@sentinel/contracts/sentinel/v1/audit.js';
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
const MAY_OPERATE: readonly Role[] = ['operator', 'admin'];

/** Requests of these methods are given on as bytes: their events become entries without being made messages of first. */
const asBytes = (bytes: Buffer): Buffer => bytes;
const DEFINITION = {
  ...AuditServiceService,
  ingestEvents: { ...AuditServiceService.ingestEvents, requestDeserialize: asBytes },
  ingestStream: { ...AuditServiceService.ingestStream, requestDeserialize: asBytes },
} as const;

/** How this process changes the log, or refuses to. */
export interface WriteMethods
  extends Pick<
    AuditServiceServer,
    | 'planPruning'
    | 'pruneEntries'
    | 'addHold'
    | 'removeHold'
    | 'listHolds'
    | 'rotateKey'
    | 'planRepair'
    | 'repairEntries'
  > {
  readonly ingestEvents: handleUnaryCall<Buffer, IngestEventsResponse>;
  readonly ingestStream: handleBidiStreamingCall<Buffer, IngestStreamResponse>;
}

async function read<T>(reading: Promise<T>): Promise<T> {
  return await reading.catch((error: unknown) => {
    throw publicReadError(error);
  });
}

export function auditService(context: RpcContext, writes: WriteMethods): ServiceEntry {
  const { log } = context;
  const implementation: Omit<AuditServiceServer, keyof WriteMethods> & WriteMethods = {
    ...writes,
    verifyChain: unary((request) => verifyChain(context, request), log),
    queryAuditTrail: unary((request) => read(queryAuditTrail(context, request)), log),
    getCheckpoint: unary(() => read(getCheckpoint(context)), log),
    getInclusionProof: unary((request) => read(getInclusionProof(context, request)), log),
    getConsistencyProof: unary((request) => read(getConsistencyProof(context, request)), log),
    getPruned: unary(() => getPruned(context), log),
  };
  return {
    definition: DEFINITION,
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
      PlanPruning: MAY_OPERATE,
      PruneEntries: MAY_OPERATE,
      AddHold: MAY_OPERATE,
      RemoveHold: MAY_OPERATE,
      ListHolds: 'anyone',
      RotateKey: MAY_OPERATE,
      PlanRepair: MAY_OPERATE,
      RepairEntries: MAY_OPERATE,
    },
  };
}

/**
 * What an operator orders of a ledger by command: through the writer that is running, or, where none is, as the writer itself.
 * Both ways it is an entry of the log.
 */
import { randomBytes } from 'node:crypto';
import {
  type AddHoldRequest,
  type AddHoldResponse,
  AuditServiceClient,
  type ListHoldsResponse,
  type PlanPruningRequest,
  type PlanPruningResponse,
  type PlanRepairRequest,
  type PlanRepairResponse,
  type PruneEntriesRequest,
  type PruneEntriesResponse,
  type RemoveHoldRequest,
  type RemoveHoldResponse,
  type RepairEntriesRequest,
  type RepairEntriesResponse,
  type RotateKeyResponse,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import { formatAddress, parseAddress } from '@sentinel/service-kit/address';
import type { AuditLedgerConfig } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { NEVER } from '../beginning.js';
import { KeyRing } from '../key-ring.js';
import { RepairJournal, repairJournalPath } from '../repair/journal.js';
import { recorder } from '../repair/recorder.js';
import { Repairer, recordPending } from '../repair/repairer.js';
import { Keeper } from '../retention/keeper.js';
import type { WriterContext } from '../rpc/context.js';
import { planRepair, type RepairGear, repairEntries } from '../rpc/repair.js';
import { addHold, listHolds, planPruning, pruneEntries, removeHold, type WriterGear } from '../rpc/retention.js';
import { rotateKey } from '../rpc/rotate-key.js';
import { tlsFilesOf, writerKeyOf } from '../settings.js';
import { TamperedStoreError } from '../storage/errors.js';
import { selectBackend } from '../storage/select-backend.js';
import { Turns } from '../turns.js';
import type { LedgerProgram } from './index.js';

/** A pruning looks at every entry that it takes, and any order waits behind what is being logged. */
const DEADLINE_MS = 3_600_000;

export interface Operations {
  plan(request: PlanPruningRequest): Promise<PlanPruningResponse>;
  prune(request: PruneEntriesRequest): Promise<PruneEntriesResponse>;
  addHold(request: AddHoldRequest): Promise<AddHoldResponse>;
  removeHold(request: RemoveHoldRequest): Promise<RemoveHoldResponse>;
  listHolds(): Promise<ListHoldsResponse>;
  rotateKey(): Promise<RotateKeyResponse>;
  planRepair(request: PlanRepairRequest): Promise<PlanRepairResponse>;
  repair(request: RepairEntriesRequest): Promise<RepairEntriesResponse>;
}

/**
 * @param damaged what to do where no writer can open the log, for what is stored is not what was committed; default: say so
 * @throws SentinelError; FAILED_PRECONDITION where a writer is running that cannot be reached
 */
export async function operate<T>(
  program: LedgerProgram,
  work: (operations: Operations) => Promise<T>,
  damaged?: () => Promise<T>,
): Promise<T> {
  const { config, flags } = program;
  const backend = selectBackend(config);
  if (backend.name === 'scylla' || flags.address !== undefined) {
    const answer = await throughWriter(config, flags.address, work).catch(asAway);
    if (answer !== WRITER_AWAY || flags.address !== undefined) return answered(answer);
  }
  const gear = await asWriter(program).catch((error: unknown) => {
    if (error instanceof SentinelError && error.code === 'FAILED_PRECONDITION') return error;
    if (damaged !== undefined && isDamage(error)) return DAMAGED;
    throw error;
  });
  if (gear === DAMAGED) return await (damaged as () => Promise<T>)();
  if (gear instanceof SentinelError) return answered(await throughWriter(config, flags.address, work).catch(asAway));
  const by = operatorName();
  try {
    return await work({
      plan: (request) => planPruning(gear, request),
      prune: (request) => pruneEntries(gear, request, by),
      addHold: (request) => addHold(gear, request, by),
      removeHold: (request) => removeHold(gear, request, by),
      listHolds: () => listHolds(gear),
      rotateKey: () => rotateKey(gear, by),
      planRepair: (request) => planRepair(gear, request),
      repair: (request) => repairEntries(gear, request, by),
    });
  } finally {
    await gear.close();
  }
}

/** Who orders something by a command that is the writer itself. */
export function operatorName(): string {
  return `${process.env['USER'] ?? 'operator'} (command)`;
}

const WRITER_AWAY = Symbol('writer away');
const DAMAGED = Symbol('damaged');

function isDamage(error: unknown): boolean {
  return error instanceof TamperedStoreError || (error instanceof SentinelError && error.code === 'DATA_LOSS');
}

function asAway(error: unknown): typeof WRITER_AWAY {
  if (error instanceof SentinelError && error.code === 'UNAVAILABLE') return WRITER_AWAY;
  throw error;
}

function answered<T>(answer: T | typeof WRITER_AWAY): T {
  if (answer !== WRITER_AWAY) return answer as T;
  throw new SentinelError({
    code: 'UNAVAILABLE',
    message: 'the writer of this log cannot be reached',
    hint: 'Say where it serves gRPC with --address HOST:PORT, or stop it first.',
  });
}

async function throughWriter<T>(
  config: AuditLedgerConfig,
  address: string | undefined,
  work: (operations: Operations) => Promise<T>,
): Promise<T> {
  const client = createClient(AuditServiceClient, {
    address: address ?? dialled(config.listen_address),
    tls: config.tls.enabled
      ? { files: tlsFilesOf(config), keyPrefix: 'audit_ledger.tls', serverName: '', serverRole: 'ledger' }
      : null,
    token: config.operator_token,
  });
  try {
    return await work({
      plan: (request) => callUnary(client, client.planPruning, request, DEADLINE_MS),
      prune: (request) => callUnary(client, client.pruneEntries, request, DEADLINE_MS),
      addHold: (request) => callUnary(client, client.addHold, request, DEADLINE_MS),
      removeHold: (request) => callUnary(client, client.removeHold, request, DEADLINE_MS),
      listHolds: () => callUnary(client, client.listHolds, {}),
      rotateKey: () => callUnary(client, client.rotateKey, {}, DEADLINE_MS),
      planRepair: (request) => callUnary(client, client.planRepair, request, DEADLINE_MS),
      repair: (request) => callUnary(client, client.repairEntries, request, DEADLINE_MS),
    });
  } finally {
    client.close();
  }
}

/** Who listens on every address is met on this machine. */
function dialled(listenAddress: string): string {
  const { host, port } = parseAddress(listenAddress);
  return host === '0.0.0.0' || host === '::' ? formatAddress({ host: 'localhost', port }) : listenAddress;
}

async function asWriter({
  config,
}: LedgerProgram): Promise<WriterGear & RepairGear & Pick<WriterContext, 'keyRing'> & { close(): Promise<void> }> {
  const backend = selectBackend(config);
  const stored = await backend.openUnsigned();
  if (stored === undefined) throw new SentinelError({ code: 'UNAVAILABLE', message: `${backend.place} holds no log` });
  await stored.source.close();
  const nowUs = (): number => Date.now() * 1000;
  const ignore = (): void => undefined;
  let failure: Error | undefined;
  const opened = await KeyRing.open(config, {
    backend,
    acceptRollback: false,
    beginning: NEVER,
    groupEntries: config.chain.batch_size,
    nowUs,
    randomBytes,
    events: {
      committed: ignore,
      refused: ignore,
      diverged: ignore,
      checkpointNotKept: ignore,
      fatal: (error) => {
        failure = error instanceof Error ? error : new Error(String(error));
      },
    },
  });
  const { ledger, store, keys } = opened;
  const turns = new Turns();
  const keeper = new Keeper({ ledger, store, turns, nowUs, randomBytes, pruned: ignore });
  const journal = new RepairJournal(repairJournalPath(config));
  const record = recorder(ledger);
  await recordPending(journal, record);
  const { verifier: key } = writerKeyOf(config);
  const repairer = new Repairer({ backend, key, turns, journal, nowUs, randomBytes, record, repaired: ignore });
  await keeper.resume();
  // What is not sealed is not pruned, and no clock seals here.
  await ledger.sealNow();
  return {
    ledger,
    keeper,
    keyRing: keys,
    repairer,
    note: () => ledger.checkpoint.note,
    close: async () => {
      await opened.close();
      if (failure !== undefined) throw failure;
    },
  };
}

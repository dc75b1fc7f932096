/** Composition root of writer and reader: everything is made and connected here, by hand. */
import { randomBytes } from 'node:crypto';
import type { AuditLedgerConfig } from '@sentinel/service-kit/config';
import { unary } from '@sentinel/service-kit/grpc-server';
import { type ReadyInfo, type Service, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { createRegistry } from '@sentinel/service-kit/metrics';
import { beginningOf } from './beginning.js';
import { SecondPathThread } from './commit/second-path.js';
import { createEvents, createGauges, type ServiceEvents } from './events.js';
import { healthOf } from './health.js';
import { type HandedOver, KeyRing } from './key-ring.js';
import { publicOpenError } from './open-errors.js';
import type { OpenLedger, OpenLedgerOptions } from './open-ledger.js';
import { CheckedReads } from './reader/checked-reads.js';
import { startReader } from './reader/start-reader.js';
import { ReceiveClock, SYSTEM_CLOCK } from './receive-clock.js';
import { repairFrom } from './repair/by-itself.js';
import { RepairJournal, repairJournalPath } from './repair/journal.js';
import { recorder } from './repair/recorder.js';
import { Repairer, recordPending } from './repair/repairer.js';
import { readRotations } from './retention/chain.js';
import { Keeper } from './retention/keeper.js';
import { dueRequest } from './retention/policy.js';
import type { WriterContext } from './rpc/context.js';
import { ingestEvents } from './rpc/ingest.js';
import { IngestStreams } from './rpc/ingest-stream.js';
import { repairMethods } from './rpc/repair.js';
import { retentionMethods } from './rpc/retention.js';
import { rotateKey } from './rpc/rotate-key.js';
import type { WriteMethods } from './rpc/service.js';
import { servePorts } from './serve.js';
import { writerKeyOf } from './settings.js';
import type { Backend } from './storage/backend.js';
import { openSigned } from './storage/open-signed.js';
import { selectBackend } from './storage/select-backend.js';
import { Turns } from './turns.js';
import { Condition } from './verification/condition.js';
import { readPart } from './verification/part-file.js';
import { partPath, startVerification } from './verification/start.js';
import { verifier } from './verifications.js';
import type { VerifyReport } from './verify/verify-log.js';
import { whenThere } from './when-there.js';

const HOUR_MS = 3_600_000;

export interface BuildOptions {
  readonly config: AuditLedgerConfig;
  readonly insecure: boolean;
  readonly acceptRollback: boolean;
  /** The key may begin a log although its file does not say that it never signed. */
  readonly newLog: boolean;
  readonly log: Logger;
  readonly fatal: (error: unknown) => void;
  /** The configuration read again. */
  readonly reload?: () => AuditLedgerConfig;
}

/** The one process that takes entries and signs. */
export function buildLedgerService(options: BuildOptions): Service {
  return buildService(options, start);
}

/** A process that serves what a writer stored, without its key. */
export function buildReaderService(options: BuildOptions): Service {
  return buildService(options, async (...args) => ({ ready: await startReader(...args) }));
}

interface Running {
  readonly ready: ReadyInfo;
  /** Takes what may change while the service runs. */
  reload?(config: AuditLedgerConfig): Promise<void>;
}

interface Tokens {
  operator: string;
  service: string;
}

function buildService(
  options: BuildOptions,
  start: (options: BuildOptions, stack: StopStack, tokens: Tokens, stopping: AbortSignal) => Promise<Running>,
): Service {
  const stack = new StopStack();
  const tokens = { operator: options.config.operator_token, service: options.config.service_token };
  let running: Running | undefined;
  return {
    start: async (stopping) => {
      try {
        running = await start(options, stack, tokens, stopping);
        return running.ready;
      } catch (error) {
        await stack.stop();
        throw publicOpenError(error);
      }
    },
    stop: () => stack.stop(),
    reload: async () => {
      const config = options.reload?.();
      if (config === undefined) return;
      tokens.operator = config.operator_token;
      tokens.service = config.service_token;
      await running?.reload?.(config);
    },
  };
}

async function start(options: BuildOptions, stack: StopStack, tokens: Tokens, stopping: AbortSignal): Promise<Running> {
  const { config, log } = options;
  const backend = selectBackend(config);
  const key = writerKeyOf(config);
  const registry = createRegistry();
  const condition = new Condition(await readPart(partPath(config)));
  const events = createEvents(registry, log, condition, options.fatal);
  const clock = new ReceiveClock(SYSTEM_CLOCK, events.clockJumped);
  const nowUs = (): number => clock.nowUs();
  const secondPath = new SecondPathThread();
  stack.push('second path', () => secondPath.close());
  const ledgerOptions: Omit<OpenLedgerOptions, 'key'> = {
    backend,
    acceptRollback: options.acceptRollback,
    beginning: beginningOf(config, options.newLog),
    groupEntries: config.chain.batch_size,
    nowUs,
    randomBytes,
    events,
    secondPath: secondPath.recompute,
  };
  const opened = await whenThere(() => KeyRing.open(config, ledgerOptions), backend, log, stopping);
  stack.push('the log', () => opened.close());
  const { ledger, store, keys } = opened;
  logOpened(log, backend, opened);
  const aheadSeconds = (): number => Math.max(0, store.head.receivedUs - SYSTEM_CLOCK.wallUs()) / 1e6;
  createGauges(registry, {
    aheadSeconds,
    chainLength: () => ledger.checkpoint.size,
    pendingEntries: () => ledger.pendingEntries,
    storageBytes: () => store.storageBytes(),
  });
  startSeals(stack, () => ledger.seal(), config.chain.flush_interval_seconds);

  const turns = new Turns();
  const keeper = new Keeper({ ledger, store, turns, nowUs, randomBytes, pruned: events.pruned });
  const journal = new RepairJournal(repairJournalPath(config));
  const record = recorder(ledger);
  await recordPending(journal, record);
  const repaired: typeof events.repaired = (outcome, by) => {
    store.reloadIndex(outcome.mended);
    events.repaired(outcome, by);
  };
  const repairer = new Repairer({ backend, key: key.verifier, turns, journal, nowUs, randomBytes, record, repaired });
  await keeper.resume();
  const clean = () => keeper.clean(dueRequest(config.retention, nowUs()));
  startCleaning(stack, config.retention.cleanup_interval_hours, clean, events);
  const taken = (report: VerifyReport): void => {
    condition.take(report);
    events.verified(report);
  };
  const openSource = () => openSigned(backend, key.verifier);
  const verify = verifier(openSource, key.verifier, taken, turns);
  const repair = repairFrom(repairer, config.verification.repair_from);
  const watched = { openSource, key: key.verifier, turns, verified: events.verified, repair };
  startVerification(stack, config, condition, watched, events.verifyFailed);
  const reads = new CheckedReads(store, () => ledger.checkpoint);
  const context: WriterContext = {
    ledger,
    keeper,
    keyRing: keys,
    repairer,
    view: () => ({ checkpoint: ledger.checkpoint, reads }),
    health: () => healthOf(ledger, condition, aheadSeconds(), opened.unguarded),
    keys: async () => ({ current: ledger.signer, rotations: await readRotations(store) }),
    verify,
    log,
  };
  const streams = new IngestStreams(context);
  const { ready } = await servePorts(
    {
      config,
      insecure: options.insecure,
      log,
      tokens,
      registry,
      context,
      writes: writeMethods(context, streams),
      drain: () => streams.drain(),
      callRefused: events.callRefused,
    },
    stack,
  );
  return { ready, reload: async (config) => logHandedOver(log, await keys.reload(config)) };
}

/** Whatever prevents one cleaning, the next one tries again. */
function startCleaning(
  stack: StopStack,
  intervalHours: number,
  clean: () => Promise<unknown>,
  events: ServiceEvents,
): void {
  const attempt = async (): Promise<void> => {
    await clean().catch((error: unknown) => events.pruneFailed(error));
  };
  const timer = setInterval(() => void attempt(), intervalHours * HOUR_MS).unref();
  stack.push('cleaning', () => clearInterval(timer));
}

function writeMethods(context: WriterContext, streams: IngestStreams): WriteMethods {
  const { log } = context;
  return {
    ingestEvents: unary((request, caller) => ingestEvents(context, request, caller), log),
    ingestStream: (call) => streams.handle(call),
    ...retentionMethods(context),
    rotateKey: unary((_, { subject }) => rotateKey(context, subject), log),
    ...repairMethods(context),
  };
}

function startSeals(stack: StopStack, seal: () => void, intervalSeconds: number): void {
  const timer = setInterval(seal, intervalSeconds * 1000).unref();
  stack.push('seals', () => clearInterval(timer));
}

function logHandedOver(log: Logger, handed: HandedOver | undefined): void {
  if (handed === undefined) return;
  log.warn({ ...handed }, 'the log was handed over to another key, by an entry that both keys signed');
}

function logOpened(log: Logger, backend: Backend, { ledger, recomputed, lostSize, unguarded }: OpenLedger): void {
  const { origin, size } = ledger.checkpoint;
  log.info(
    { backend: backend.name, place: backend.place, origin, entries: size, recomputed },
    'log opened and its newest entries recomputed',
  );
  if (lostSize !== undefined)
    log.warn({ lostSize, entries: size }, 'rollback accepted by the operator: entries are lost, and the log says so');
  if (unguarded !== undefined)
    log.error(
      { reason: unguarded, entries: size },
      'CRITICAL: nothing shows whether the log went back in time; compare it with a checkpoint that somebody kept (sentinel audit verify)',
    );
}

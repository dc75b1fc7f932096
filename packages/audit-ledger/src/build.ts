/** Composition root of the writer: everything is made and connected here, by hand. */
import { randomBytes } from 'node:crypto';
import type { AuditLedgerConfig } from '@sentinel/service-kit/config';
import { type GrpcServer, startGrpcServer } from '@sentinel/service-kit/grpc-server';
import { type ReadyInfo, type Service, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { createRegistry, serveMetrics } from '@sentinel/service-kit/metrics';
import { createEvents, createGauges, type ServiceEvents } from './events.js';
import { answer } from './http/routes.js';
import { serveHttp } from './http/server.js';
import type { VerifierKey } from './note/keys.js';
import { publicOpenError } from './open-errors.js';
import { type OpenLedger, openLedger } from './open-ledger.js';
import type { RpcContext } from './rpc/context.js';
import { IngestStreams } from './rpc/ingest-stream.js';
import { auditService } from './rpc/service.js';
import { signingKeyOf, tlsFilesOf } from './settings.js';
import type { Backend } from './storage/backend.js';
import { selectBackend } from './storage/select-backend.js';
import { type VerifyOptions, type VerifyReport, verifyLog } from './verify/verify-log.js';

/** A group commit's worth of small events, or a few of the largest details, with room for protobuf around them. */
const MAX_MESSAGE_BYTES = 20 * 2 ** 20;

export interface BuildOptions {
  readonly config: AuditLedgerConfig;
  readonly insecure: boolean;
  readonly acceptRollback: boolean;
  readonly log: Logger;
  readonly fatal: (error: unknown) => void;
  /** The configuration read again. */
  readonly reload?: () => AuditLedgerConfig;
}

export function buildLedgerService(options: BuildOptions): Service {
  const stack = new StopStack();
  const tokens = { operator: options.config.operator_token, service: options.config.service_token };
  return {
    start: async () => {
      try {
        return await start(options, stack, tokens);
      } catch (error) {
        await stack.stop();
        throw publicOpenError(error);
      }
    },
    stop: () => stack.stop(),
    reload: () => {
      const config = options.reload?.();
      if (config === undefined) return;
      tokens.operator = config.operator_token;
      tokens.service = config.service_token;
    },
  };
}

async function start(
  options: BuildOptions,
  stack: StopStack,
  tokens: { operator: string; service: string },
): Promise<ReadyInfo> {
  const { config, log } = options;
  const backend = selectBackend(config);
  const key = signingKeyOf(config);
  const registry = createRegistry();
  const events = createEvents(registry, log, options.fatal);
  const opened = await openLedger({
    backend,
    key,
    acceptRollback: options.acceptRollback,
    groupEntries: config.chain.batch_size,
    nowUs: () => Date.now() * 1000,
    randomBytes,
    events,
  });
  stack.push('the log', () => opened.close());
  const { ledger, store } = opened;
  logOpened(log, backend, opened);
  createGauges(registry, {
    chainLength: () => ledger.checkpoint.size,
    pendingEntries: () => ledger.pendingEntries,
    storageBytes: () => store.storageBytes(),
  });
  startSeals(stack, () => ledger.seal(), config.chain.flush_interval_seconds);

  const verify = verifier(backend, key.verifier, events);
  const context: RpcContext = { ledger, store, verifierKey: key.verifier.text, verify, log };
  return await startPorts(options, stack, context, registry, events, tokens);
}

/** Verifications of what is stored, one at a time: each reads as fast as it can. */
function verifier(backend: Backend, key: VerifierKey, events: ServiceEvents): RpcContext['verify'] {
  let last: Promise<unknown> = Promise.resolve();
  return (options: VerifyOptions): Promise<VerifyReport> => {
    const run = last.then(async () => {
      const source = await backend.openSource();
      const report = await verifyLog(source, key, options).finally(() => source.close());
      events.verified(report);
      return report;
    });
    last = run.catch(() => undefined);
    return run;
  };
}

async function startPorts(
  { config, insecure, log }: BuildOptions,
  stack: StopStack,
  context: RpcContext,
  registry: ReturnType<typeof createRegistry>,
  events: ServiceEvents,
  tokens: { readonly operator: string; readonly service: string },
): Promise<ReadyInfo> {
  const files = tlsFilesOf(config);
  const tls = config.tls.enabled ? { files, keyPrefix: 'audit_ledger.tls', mutual: config.tls.mutual_tls } : null;
  const streams = new IngestStreams(context);
  const metrics = config.metrics.enabled
    ? await serveMetrics({
        registry,
        address: config.metrics.listen_address,
        addressKey: 'audit_ledger.metrics.listen_address',
        log,
        required: false,
      })
    : null;
  if (metrics !== null) stack.push('metrics', () => metrics.close());
  const http = await serveHttp({
    address: config.http.listen_address,
    addressKey: 'audit_ledger.http.listen_address',
    tls,
    guard: {
      section: 'audit_ledger',
      allowedOrigins: config.http.allowed_origins,
      allowedHosts: config.http.allowed_hosts,
    },
    answer: (url) => answer(context, url),
    log,
  });
  stack.push('HTTP', () => http.close());
  const grpc: GrpcServer = await startGrpcServer({
    address: config.listen_address,
    addressKey: 'audit_ledger.listen_address',
    tls,
    insecure,
    tokens,
    services: [auditService(context, streams)],
    maxMessageBytes: MAX_MESSAGE_BYTES,
    log,
    onRefused: () => events.callRefused(),
  });
  stack.push('gRPC', async () => {
    grpc.setServing(false);
    await streams.drain();
    await grpc.stop();
  });
  return { grpc: grpc.address, http: http.address, ...(metrics?.address == null ? {} : { metrics: metrics.address }) };
}

function startSeals(stack: StopStack, seal: () => void, intervalSeconds: number): void {
  const timer = setInterval(seal, intervalSeconds * 1000).unref();
  stack.push('seals', () => clearInterval(timer));
}

function logOpened(log: Logger, backend: Backend, { ledger, recomputed, lostSize }: OpenLedger): void {
  const { origin, size } = ledger.checkpoint;
  log.info(
    { backend: backend.name, place: backend.place, origin, entries: size, recomputed },
    'log opened and its newest entries recomputed',
  );
  if (lostSize !== undefined)
    log.warn({ lostSize, entries: size }, 'rollback accepted by the operator: entries are lost, and the log says so');
}

/** The ports of a ledger, writer or reader: gRPC, HTTP and metrics. */
import type { AuditLedgerConfig } from '@sentinel/service-kit/config';
import { startGrpcServer } from '@sentinel/service-kit/grpc-server';
import type { ReadyInfo, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { type Registry, serveMetrics } from '@sentinel/service-kit/metrics';
import { answer } from './http/routes.js';
import { serveHttp } from './http/server.js';
import type { RpcContext } from './rpc/context.js';
import { auditService, type WriteMethods } from './rpc/service.js';
import { tlsFilesOf } from './settings.js';

/** A group commit's worth of small events, or a few of the largest details, with room for protobuf around them. */
const MAX_MESSAGE_BYTES = 20 * 2 ** 20;

export interface ServeOptions {
  readonly config: AuditLedgerConfig;
  readonly insecure: boolean;
  readonly log: Logger;
  readonly tokens: { readonly operator: string; readonly service: string };
  readonly registry: Registry;
  readonly context: RpcContext;
  readonly writes: WriteMethods;
  /** Ends what would keep the gRPC port from stopping. */
  readonly drain: () => Promise<void>;
  readonly callRefused: () => void;
}

export interface Served {
  readonly ready: ReadyInfo;
  /** Answer of grpc.health.v1. */
  setServing(serving: boolean): void;
}

/** What it opens it leaves on `stack`. @throws SentinelError UNAVAILABLE where a port is taken */
export async function servePorts(options: ServeOptions, stack: StopStack): Promise<Served> {
  const { config, insecure, log, tokens, context, writes } = options;
  const files = tlsFilesOf(config);
  const tls = config.tls.enabled ? { files, keyPrefix: 'audit_ledger.tls', mutual: config.tls.mutual_tls } : null;
  const metrics = await metricsPort(options, stack);
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
  const grpc = await startGrpcServer({
    address: config.listen_address,
    addressKey: 'audit_ledger.listen_address',
    tls,
    insecure,
    tokens,
    services: [auditService(context, writes)],
    maxMessageBytes: MAX_MESSAGE_BYTES,
    log,
    onRefused: options.callRefused,
  });
  stack.push('gRPC', async () => {
    grpc.setServing(false);
    await options.drain();
    await grpc.stop();
  });
  const ready = { grpc: grpc.address, http: http.address, ...metrics };
  return { ready, setServing: (serving) => grpc.setServing(serving) };
}

async function metricsPort({ config, registry, log }: ServeOptions, stack: StopStack): Promise<{ metrics?: string }> {
  if (!config.metrics.enabled) return {};
  const metrics = await serveMetrics({
    registry,
    address: config.metrics.listen_address,
    addressKey: 'audit_ledger.metrics.listen_address',
    log,
    required: false,
  });
  stack.push('metrics', () => metrics.close());
  return metrics.address === null ? {} : { metrics: metrics.address };
}

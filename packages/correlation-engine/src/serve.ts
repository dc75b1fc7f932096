import type { Tokens } from '@sentinel/service-kit/auth';
import type { LoadedConfig } from '@sentinel/service-kit/config';
import { type GrpcServer, startGrpcServer } from '@sentinel/service-kit/grpc-server';
import type { ReadyInfo, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { type Registry, serveMetrics } from '@sentinel/service-kit/metrics';
import { startHttpServer } from './api/http/server.js';
import type { Events } from './events.js';

const SECTION = 'correlation_engine';
/** Above one record's payload, so that a record that is too large is refused with a reason. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

export interface ServeParts {
  readonly loaded: LoadedConfig<'correlation_engine'>;
  readonly log: Logger;
  readonly registry: Registry;
  readonly events: Events;
  readonly stopping: StopStack;
  /** As they are at the time of each call. */
  readonly tokens: () => Tokens;
  readonly handle: Parameters<typeof startHttpServer>[0]['handle'];
  readonly services: Parameters<typeof startGrpcServer>[0]['services'];
}

/** Opens the engine's three ports; what was opened is on `stopping`, in order, also when a later one fails. */
export async function serve(parts: ServeParts): Promise<{ ready: ReadyInfo; grpc: GrpcServer }> {
  const { loaded, log, registry, events, stopping } = parts;
  const { tls, metrics, http: httpConfig, listen_address } = loaded.config;
  const files = { certFile: tls.cert_file, keyFile: tls.key_file, caFile: tls.ca_file };
  const keyPrefix = `${SECTION}.tls`;
  const http = await startHttpServer({
    address: httpConfig.listen_address,
    addressKey: `${SECTION}.http.listen_address`,
    tls: tls.enabled ? { files, keyPrefix, mutual: tls.mutual_tls } : null,
    guard: {
      section: SECTION,
      allowedOrigins: httpConfig.allowed_origins,
      allowedHosts: httpConfig.allowed_hosts,
    },
    handle: parts.handle,
    onRefused: (error) => events.refused('http', error),
    log,
  });
  stopping.push('HTTP', () => http.close());
  const metricsServer = metrics.enabled
    ? await serveMetrics({
        registry,
        address: metrics.listen_address,
        addressKey: `${SECTION}.metrics.listen_address`,
        log,
        required: false,
      })
    : null;
  if (metricsServer !== null) stopping.push('metrics', () => metricsServer.close());
  const grpc = await startGrpcServer({
    address: listen_address,
    addressKey: `${SECTION}.listen_address`,
    tls: tls.enabled ? { files, keyPrefix, mutual: tls.mutual_tls } : null,
    insecure: loaded.insecure,
    tokens: liveTokens(parts.tokens),
    services: parts.services,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    log,
    onRefused: (error) => events.refused('call', error),
  });
  stopping.push('gRPC', () => grpc.stop());
  const ready = {
    grpc: grpc.address,
    http: http.address,
    ...(metricsServer?.address == null ? {} : { metrics: metricsServer.address }),
  };
  return { ready, grpc };
}

/** Tokens as they are at the time of each call. */
export function liveTokens(tokens: () => Tokens): Tokens {
  return {
    get operator() {
      return tokens().operator;
    },
    get service() {
      return tokens().service;
    },
  };
}

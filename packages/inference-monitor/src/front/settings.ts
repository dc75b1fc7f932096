import { createHash } from 'node:crypto';
import { parseAddress } from '@sentinel/service-kit/address';
import type { InferenceMonitorConfig } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';

/** What the process of the front is told at its start. Holds no secret: it is seen in the list of processes. */
export interface FrontSettings {
  /** HOST:PORT where requests come, over HTTP. */
  readonly listen: string;
  /** http://HOST:PORT or https://HOST:PORT */
  readonly upstream: string;
  /** HOST:PORT where requests come over gRPC; "" = nowhere. */
  readonly grpcListen: string;
  /** HOST:PORT */
  readonly upstreamGrpc: string;
  readonly framework: InferenceMonitorConfig['framework'];
  readonly samplingRate: number;
  /** Socket of the analyser. */
  readonly socket: string;
  readonly replica: string;
  /** By worker. */
  readonly gpus: readonly string[];
  readonly version: string;
  /** Seconds that requests in flight have when it is to end. */
  readonly drainS: number;
  /** Of clients, over HTTP, at once. */
  readonly maxConnections: number;
}

/** Where servers of a framework listen unless told otherwise. */
const USUAL_UPSTREAM: Readonly<Record<InferenceMonitorConfig['framework'], string>> = {
  vllm: 'http://127.0.0.1:8000',
  trtllm: 'http://127.0.0.1:8000',
  triton: 'http://127.0.0.1:8000',
  generic: '',
};
/** Of Triton. */
const USUAL_GRPC_PORT = 8001;

/** Configuration, as far as the front needs it. */
export type FrontConfig = Pick<
  InferenceMonitorConfig,
  | 'enabled'
  | 'listen_address'
  | 'upstream_url'
  | 'grpc_listen_address'
  | 'upstream_grpc'
  | 'framework'
  | 'sampling_rate'
  | 'socket_path'
  | 'replica_name'
  | 'node_name'
  | 'gpu_uuids'
  | 'max_connections'
  | 'drain_s'
>;

/**
 * @returns settings, or why no traffic passes
 * @throws SentinelError naming upstream_url where it has a path or a password
 */
export function frontSettings(config: FrontConfig, version: string): FrontSettings | string {
  const upstream = upstreamOf(config);
  if (upstream === '') return 'set inference_monitor.upstream_url to the address of the inference server';
  const url = new URL(upstream);
  requireOrigin(url);
  if (meetsItself(config.listen_address, url))
    return `set inference_monitor.listen_address: the inference server itself listens on ${url.host}`;
  const { listen_address: listen, grpc_listen_address: grpcListen, upstream_grpc: grpc } = config;
  const upstreamGrpc = grpcListen === '' ? '' : grpc || `${url.hostname}:${USUAL_GRPC_PORT}`;
  if (grpcListen !== '' && meetsItself(grpcListen, new URL(`http://${upstreamGrpc}`)))
    throw new SentinelError({
      code: 'FAILED_PRECONDITION',
      field: 'inference_monitor.grpc_listen_address',
      message: `inference_monitor.grpc_listen_address is ${grpcListen}, where the inference server itself is asked (upstream_grpc)`,
      hint: 'Give the sidecar a port of its own, or correct upstream_grpc.',
    });
  return {
    listen,
    upstream: url.origin,
    grpcListen,
    upstreamGrpc,
    framework: config.framework,
    samplingRate: config.enabled ? config.sampling_rate : 0,
    socket: config.socket_path,
    replica: replicaOf(config, url),
    gpus: config.gpu_uuids,
    version,
    drainS: config.drain_s,
    maxConnections: config.max_connections,
  };
}

function requireOrigin({ origin, pathname, search, hash, username, password }: URL): void {
  const refused = (message: string): SentinelError => {
    const hint = `Set it to ${origin}.`;
    return new SentinelError({ code: 'FAILED_PRECONDITION', field: 'inference_monitor.upstream_url', message, hint });
  };
  if (`${username}${password}` !== '')
    throw refused(
      'inference_monitor.upstream_url has a user name or a password: requests carry what their clients send, and nothing is added',
    );
  if (`${pathname}${search}${hash}` !== '/')
    throw refused(
      'inference_monitor.upstream_url has a path or a query: requests keep theirs, so that it can have none',
    );
}

/** Address of the inference server; "" = not known. */
export function upstreamOf({ upstream_url, framework }: Pick<FrontConfig, 'upstream_url' | 'framework'>): string {
  return upstream_url === '' ? USUAL_UPSTREAM[framework] : upstream_url;
}

export function replicaOf(config: Pick<FrontConfig, 'replica_name' | 'node_name'>, upstream: URL): string {
  return config.replica_name || `${config.node_name}:${portOf(upstream)}`;
}

/** Equal where the same settings would start the same front. */
export function fingerprint(settings: FrontSettings, program: string): string {
  return createHash('sha256')
    .update(JSON.stringify([settings, program]))
    .digest('hex');
}

function meetsItself(listen: string, upstream: URL): boolean {
  const { host, port } = parseAddress(listen);
  const local = (name: string) => /^(?:localhost|127\..*|\[?::1?\]?|0\.0\.0\.0)$/.test(name);
  const sameHost = host === upstream.hostname || (local(host) && local(upstream.hostname));
  return port !== 0 && port === portOf(upstream) && sameHost;
}

export function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
}

import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AnomalyServiceClient } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import { type Clock, systemClock } from '@sentinel/service-kit/clock';
import { lockDirectory } from '@sentinel/service-kit/directory-lock';
import { createClient } from '@sentinel/service-kit/grpc-client';
import type { StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { type Registry, serveMetrics } from '@sentinel/service-kit/metrics';
import { spoolFolder } from '@sentinel/service-kit/spool';
import { uuidV7 } from '@sentinel/service-kit/uuid';
import { VERSION } from '@sentinel/service-kit/version';
import { type Batch, type NotSent, Outbox } from './report/outbox.js';
import { type AnomalySpool, hasRoomForSoft, openAnomalySpool } from './uplink/anomaly-spool.js';
import { explainUplinkError } from './uplink/explain.js';
import { Uplink } from './uplink/uplink.js';

/** What a monitor's section of the configuration says of its way to the engine. */
export interface UplinkConfig {
  readonly correlation_engine_endpoint: string;
  readonly node_name: string;
  readonly data_dir: string;
  readonly spool: { readonly max_bytes: number };
  readonly tls: {
    readonly enabled: boolean;
    readonly cert_file: string;
    readonly key_file: string;
    readonly ca_file: string;
    readonly server_name: string;
  };
  readonly service_token: string;
  readonly metrics: { readonly enabled: boolean; readonly listen_address: string };
}

/** Counts what becomes of anomalies. */
export interface UplinkCounts {
  notSent(reason: NotSent, events: number): void;
  disconnected(): void;
  givenUp(records: number): void;
}

export interface ShellParts {
  /** Such as "training-monitor"; its section of the configuration is called so with "_". */
  readonly monitor: string;
  readonly config: () => UplinkConfig;
  readonly counts: UplinkCounts;
  readonly stack: StopStack;
  readonly log: Logger;
  readonly fatal: (error: unknown) => void;
  /** How events are put together; absent = at most 256 of 200 ms. */
  readonly batch?: () => Batch;
  readonly clock?: Clock;
}

/** A monitor's way to the engine. */
export interface ToEngine {
  readonly outbox: Outbox;
  readonly spool: AnomalySpool;
  /** False while the engine takes nothing. */
  connected(): boolean;
}

/** Opens the spool and begins to send what it holds; what was taken is durable before `stack` has stopped. */
export async function connectToEngine(parts: ShellParts): Promise<ToEngine> {
  const { monitor, config, counts, stack, log, fatal, batch, clock = systemClock } = parts;
  const spool = await openSpool(parts);
  const link = { connected: false };
  const uplink = makeUplink(parts, spool, link);
  const outbox = new Outbox({
    buildId: `${monitor} ${VERSION}`,
    append: (payload) => spool.append(payload),
    hasRoom: () => hasRoomForSoft(spool, config().spool.max_bytes),
    onAppended: () => uplink.wake(),
    onNotSent: (reason, events) => counts.notSent(reason, events),
    onLost: fatal,
    nowMs: () => clock.monotonicMs(),
    nowUs: () => clock.nowUs(),
    ...(batch === undefined ? {} : { batch }),
    log,
  });
  stack.push('uplink', () => uplink.stop());
  stack.push('outbox', () => outbox.flush());
  uplink.start();
  return { outbox, spool, connected: () => link.connected };
}

async function openSpool({ monitor, config, stack }: ShellParts): Promise<AnomalySpool> {
  const { data_dir, node_name, spool: limits } = config();
  const folder = join(data_dir, node_name);
  mkdirSync(folder, { recursive: true });
  const lock = await lockDirectory(folder);
  stack.push('lock', () => lock.release());
  const place = spoolFolder(join(folder, 'spool'), () => uuidV7(Date.now(), randomBytes(10)));
  const spool = await openAnomalySpool(monitor, place, limits.max_bytes, `${sectionOf(monitor)}.spool.max_bytes`);
  stack.push('spool', () => spool.close());
  return spool;
}

function makeUplink({ monitor, config, counts, log }: ShellParts, spool: AnomalySpool, link: { connected: boolean }) {
  const { node_name: node, correlation_engine_endpoint: address } = config();
  const section = sectionOf(monitor);
  return new Uplink({
    node,
    spool,
    connect: () => {
      const { tls, service_token: token } = config();
      return createClient(AnomalyServiceClient, { address, tls: tlsOf(tls, section), token });
    },
    onConnected: () => {
      if (!link.connected) log.info({ endpoint: address }, 'the engine takes anomalies');
      link.connected = true;
    },
    onDisconnect: (error, retryMs, idle) => {
      link.connected = false;
      counts.disconnected();
      const say = idle ? log.debug.bind(log) : log.warn.bind(log);
      say({ retryMs: Math.round(retryMs) }, explainUplinkError(error, address, section));
    },
    onWarning: (sentence) => log.warn({ from: 'engine' }, sentence),
    onGivenUp: (records, reason) => {
      counts.givenUp(records);
      log.error({ records }, `records that the engine refuses were given up: ${reason}`);
    },
  });
}

function tlsOf(tls: UplinkConfig['tls'], section: string) {
  if (!tls.enabled) return null;
  const files = { certFile: tls.cert_file, keyFile: tls.key_file, caFile: tls.ca_file };
  return { files, keyPrefix: `${section}.tls`, serverName: tls.server_name };
}

function sectionOf(monitor: string): string {
  return monitor.replaceAll('-', '_');
}

/** Null where the configuration wants none, or the port is taken: that is said, and the monitor goes on. */
export async function listenForMetrics(
  { monitor, config, stack, log }: Pick<ShellParts, 'monitor' | 'config' | 'stack' | 'log'>,
  registry: Registry,
): Promise<string | null> {
  const { enabled, listen_address: address } = config().metrics;
  if (!enabled) return null;
  const addressKey = `${sectionOf(monitor)}.metrics.listen_address`;
  const server = await serveMetrics({ registry, address, addressKey, log, required: false });
  stack.push('metrics', () => server.close());
  return server.address;
}

import type { AgentControlResponse, AgentHeartbeat, Hello } from '@sentinel/contracts/sentinel/v1/control.js';
import { ProbeServiceClient } from '@sentinel/contracts/sentinel/v1/probe.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { createClient } from '@sentinel/service-kit/grpc-client';
import { VERSION } from '@sentinel/service-kit/version';
import { agentKey } from '../identity/agent-key.js';
import type { Settings } from '../settings.js';
import { giveUpTestBuilds, type ProbeSpool } from '../spool/probe-spool.js';
import { explainUplinkError } from '../uplink/explain.js';
import { Uplink } from '../uplink/uplink.js';
import type { Common } from './common.js';

export interface LinkParts {
  readonly spool: ProbeSpool;
  readonly build: string;
  /** Of the busiest device over the last minute, percent, scheduled or not. */
  readonly overheadPct: () => number;
  readonly onMessage: (message: AgentControlResponse['message']) => void;
  /** The engine's clock at the start of a connection, or null at its end. */
  readonly onConnected: (engineTimeUs: bigint | null) => void;
}

/** The connection to the engine. */
export function makeLink(common: Common, parts: LinkParts): Uplink {
  const { settings, metrics, log } = common;
  const { config } = settings;
  const { spool, onMessage, onConnected } = parts;
  const endpoint = config.correlation_engine_endpoint;
  const hello = helloOf(common, parts);
  let committed = 0n;
  return new Uplink({
    identity: { node: config.node_name, keyId: config.hmac_key_id, agentKey: agentKey(config) },
    spool,
    connect: () => createClient(ProbeServiceClient, { address: endpoint, tls: tlsOf(config.tls), token: '' }),
    hello,
    heartbeat: () => heartbeatOf(common, parts),
    onWelcome: ({ engineTimeUs, committedThrough, archivedThrough }) => {
      onConnected(engineTimeUs);
      committed = committedThrough;
      const has = { committedThrough: Number(committedThrough), archivedThrough: Number(archivedThrough) };
      log.info({ endpoint, ...has }, 'connected to the engine');
    },
    onMessage,
    onDisconnect: (error, retryMs) => {
      onConnected(null);
      metrics.disconnected();
      if (isRefusedLeftover(common, error)) void giveUpLeftovers(common, spool, committed);
      else log.warn({ retryMs: Math.round(retryMs) }, explainUplinkError(error, endpoint));
    },
  });
}

/** This agent is no test build, but one wrote to its spool before and was stopped before the engine had everything. */
function isRefusedLeftover({ testbed }: Common, error: unknown): boolean {
  return !testbed.info.testBuild && SentinelError.from(error).reason === 'TEST_BUILD_REFUSED';
}

/** Sequences have no gap: a record that is refused for ever would keep back all that comes after it. */
async function giveUpLeftovers({ log }: Common, spool: ProbeSpool, committed: bigint): Promise<void> {
  try {
    const records = await giveUpTestBuilds(spool, committed);
    if (records > 0)
      log.warn({ records }, 'the engine refuses what a test build left in the spool: only its counts are sent');
  } catch (error) {
    log.error(`what a test build left in the spool could not be given up: ${SentinelError.from(error).sentence}`);
  }
}

function helloOf({ settings, testbed, devices, clock }: Common, { spool, build }: LinkParts): () => Hello {
  const { config } = settings;
  return () => ({
    node: config.node_name,
    spoolId: spool.spoolId,
    buildId: build,
    testBuild: testbed.info.testBuild,
    agentVersion: VERSION,
    keyId: config.hmac_key_id,
    agentTimeUs: clock.nowUs(),
    devices: devices.all.map((device) => device.describe()),
    lastSequence: spool.lastSequence,
  });
}

function heartbeatOf({ clock }: Common, { spool, overheadPct }: LinkParts): AgentHeartbeat {
  return {
    agentTimeUs: clock.nowUs(),
    spoolRecords: spool.records,
    spoolBytes: BigInt(spool.bytes),
    overheadPct: overheadPct(),
  };
}

function tlsOf(tls: Settings['config']['tls']) {
  if (!tls.enabled) return null;
  const files = { certFile: tls.cert_file, keyFile: tls.key_file, caFile: tls.ca_file };
  return { files, keyPrefix: 'probe_agent.tls', serverName: '' };
}

import { join } from 'node:path';
import type { Endpoints } from '@sentinel/cli/endpoints';
import {
  type AuditLedgerConfig,
  type CorrelationEngineConfig,
  type Environment,
  loadConfig,
  type ProbeAgentConfig,
  type SectionName,
} from '@sentinel/service-kit/config';
import type { DataFolder } from './data-folder.js';
import type { Flags } from './flags.js';
import type { ProcessSpec } from './managed-process.js';
import { freePort, type NeededPort } from './ports.js';
import type { SecretFiles } from './secrets.js';
import { SECTIONS, type ServiceName } from './service-names.js';

export interface InstallationOptions {
  /** The clone's top folder. */
  readonly root: string;
  readonly folder: DataFolder;
  readonly secrets: SecretFiles;
  readonly flags: Pick<Flags, 'inject' | 'freePorts' | 'overrides'>;
  readonly env: Environment;
}

/** The services of this machine with their effective configuration, ready to be started. */
export interface Installation {
  readonly specs: Readonly<Record<ServiceName, ProcessSpec>>;
  readonly readyFiles: Readonly<Record<ServiceName, string>>;
  /** gRPC and HTTP ports: without them a service cannot live. */
  readonly neededPorts: readonly NeededPort[];
  /** A taken one is only said: the service retries it. */
  readonly metricsPorts: readonly NeededPort[];
  readonly endpoints: Endpoints;
  /** What every command of a service takes to mean this installation. */
  readonly arguments: Readonly<Record<ServiceName, readonly string[]>>;
  readonly metrics: Readonly<Record<ServiceName, string>>;
  readonly warnings: readonly string[];
}

/** In the order in which they are started; stopped in reverse. */
export const ORDER: readonly ServiceName[] = ['ledger', 'engine', 'agent'];

const PROGRAMS = {
  ledger: 'packages/audit-ledger/bin/sentinel-audit-ledger.mjs',
  engine: 'packages/correlation-engine/bin/sentinel-correlation-engine.mjs',
  agent: 'packages/probe-agent/bin/sentinel-probe-agent.mjs',
  testAgent: 'packages/probe-agent/bin/sentinel-probe-agent-test.mjs',
};

/**
 * Settles the configuration of all three services exactly as they will do it themselves, so that a fault in it is said before
 * anything is started.
 * @throws ConfigError
 */
export async function planInstallation(options: InstallationOptions): Promise<Installation> {
  const { root, folder, secrets, flags, env } = options;
  const own = folderOverrides(folder, secrets);
  const ports = flags.freePorts ? await portOverrides() : { ledger: [], engine: [], agent: [] };
  const test = flags.inject === undefined ? [] : ['allow_test_builds=true'];
  const args = (service: ServiceName): string[] => [
    ...['--config', join(root, 'config/sentinel.default.yaml'), '--environment', 'local'],
    ...[...own[service], ...ports[service], ...(service === 'engine' ? test : []), ...flags.overrides[service]].flatMap(
      (override) => ['--override', override],
    ),
  ];
  const load = <S extends SectionName>(section: S, service: ServiceName) =>
    loadConfig({ section, argv: args(service), env });
  const ledger = load(SECTIONS.ledger, 'ledger');
  const engine = load(SECTIONS.engine, 'engine');
  const agent = load(SECTIONS.agent, 'agent');

  const readyFile = (service: ServiceName): string => join(folder.run, `${service}.ready.json`);
  const spec = (service: ServiceName, program: string, ...more: string[]): ProcessSpec => ({
    name: service,
    command: [
      process.execPath,
      '--enable-source-maps',
      join(root, program),
      ...args(service),
      '--ready-file',
      readyFile(service),
      ...more,
    ],
    env: { ...env },
    cwd: root,
  });
  const inject = flags.inject === undefined ? [] : ['--inject', flags.inject];
  return {
    specs: {
      ledger: spec('ledger', PROGRAMS.ledger, '--mode', 'writer'),
      engine: spec('engine', PROGRAMS.engine),
      agent: spec('agent', flags.inject === undefined ? PROGRAMS.agent : PROGRAMS.testAgent, ...inject),
    },
    readyFiles: { ledger: readyFile('ledger'), engine: readyFile('engine'), agent: readyFile('agent') },
    neededPorts: neededPorts(ledger.config, engine.config),
    metricsPorts: metricsPorts(ledger.config, engine.config, agent.config),
    endpoints: endpointsOf(ledger.config, engine.config, secrets),
    arguments: { ledger: args('ledger'), engine: args('engine'), agent: args('agent') },
    metrics: metricsOf(ledger.config, engine.config, agent.config),
    warnings: [...new Set([...ledger.warnings, ...engine.warnings, ...agent.warnings])],
  };
}

function folderOverrides(folder: DataFolder, secrets: SecretFiles): Record<ServiceName, string[]> {
  const tokens = [`operator_token_path=${secrets.operatorToken}`, `service_token_path=${secrets.serviceToken}`];
  return {
    ledger: [`data_dir=${folder.ledger}`, `signing_key_path=${secrets.ledgerKey}`, ...tokens],
    engine: [
      `database.postgres_url=embedded://${folder.pg}`,
      `history.url=file://${folder.history}`,
      `hmac_keys_path=${secrets.hmacKeys}`,
      ...tokens,
    ],
    agent: [`data_dir=${folder.agent}`, `hmac_key_path=${secrets.hmacKey}`],
  };
}

async function portOverrides(): Promise<Record<ServiceName, string[]>> {
  const address = async (): Promise<string> => `127.0.0.1:${await freePort()}`;
  const listening = async (): Promise<string[]> => [
    `http.listen_address=${await address()}`,
    `metrics.listen_address=${await address()}`,
  ];
  const [engine, ledger] = [await address(), await address()];
  return {
    ledger: [`listen_address=${ledger}`, ...(await listening())],
    engine: [`listen_address=${engine}`, `audit_ledger_endpoint=${ledger}`, ...(await listening())],
    agent: [`correlation_engine_endpoint=${engine}`, `metrics.listen_address=${await address()}`],
  };
}

function neededPorts(ledger: AuditLedgerConfig, engine: CorrelationEngineConfig): NeededPort[] {
  return [
    { what: 'The engine (gRPC)', address: engine.listen_address, key: 'correlation_engine.listen_address' },
    { what: 'The engine (HTTP)', address: engine.http.listen_address, key: 'correlation_engine.http.listen_address' },
    { what: 'The ledger (gRPC)', address: ledger.listen_address, key: 'audit_ledger.listen_address' },
    { what: 'The ledger (HTTP)', address: ledger.http.listen_address, key: 'audit_ledger.http.listen_address' },
  ];
}

function metricsPorts(
  ledger: AuditLedgerConfig,
  engine: CorrelationEngineConfig,
  agent: ProbeAgentConfig,
): NeededPort[] {
  const services = [
    ['ledger', ledger],
    ['engine', engine],
    ['agent', agent],
  ] as const;
  return services
    .filter(([, { metrics }]) => metrics.enabled)
    .map(([name, { metrics }]) => ({
      what: `Metrics of the ${name}`,
      address: metrics.listen_address,
      key: `${SECTIONS[name]}.metrics.listen_address`,
    }));
}

function endpointsOf(ledger: AuditLedgerConfig, engine: CorrelationEngineConfig, secrets: SecretFiles): Endpoints {
  return {
    engine: { grpc: engine.listen_address, http: engine.http.listen_address },
    ledger: { grpc: ledger.listen_address, http: ledger.http.listen_address },
    operatorTokenPath: secrets.operatorToken,
    verifierKeyPath: secrets.ledgerVerifierKey,
  };
}

function metricsOf(
  ledger: AuditLedgerConfig,
  engine: CorrelationEngineConfig,
  agent: ProbeAgentConfig,
): Record<ServiceName, string> {
  return {
    ledger: ledger.metrics.listen_address,
    engine: engine.metrics.listen_address,
    agent: agent.metrics.listen_address,
  };
}

import { splitHostPort } from '@sentinel/service-kit/config';
import type { Container, Pod } from './pod.js';
import { type ServerPort, ServerPorts } from './ports.js';

/** Label by which a pod asks for the sidecar, and its value. */
export const OPT_IN = { label: 'sentinel-sdc.io/inject', value: 'enabled' } as const;

/** Set on a pod that has it. */
export const INJECTED = 'sentinel-sdc.io/injected';

export const CONTAINER_NAME = 'sentinel-inference-monitor';

const FRAMEWORKS = ['vllm', 'trtllm', 'triton', 'generic'] as const;
export type Framework = (typeof FRAMEWORKS)[number];

/** Resources that a container with a GPU asks for; by DRA it has claims instead. */
const GPU = /^(nvidia\.com\/(gpu|mig-.+)|amd\.com\/gpu)(\.shared)?$/;

const PREFIX = 'sentinel-sdc.io/';
const KNOWN = ['container', 'framework', 'sampling-rate', 'port', 'listen-port', 'replicas', 'library', 'injected'];

/** A number without an exponent of two and other forms of JavaScript. */
const DECIMAL = /^\s*(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

/** One less than there are, since gRPC takes the next. */
const LAST_LISTEN_PORT = 65_534;
const FIRST_LISTEN_PORT = 18_000;

/** What a pod's annotations say; each has a default. */
export interface PodOptions {
  /** Index of the container with the inference server. */
  readonly server: number;
  readonly framework: Framework;
  /** Fraction of the requests; null = as the injector is configured. */
  readonly samplingRate: number | null;
  readonly port: ServerPort;
  /** Where the sidecar listens in its place. */
  readonly listenPort: number;
  /** Port of KServe over gRPC, and where the sidecar listens in its place; null = there is none of that name. */
  readonly grpc: (ServerPort & { readonly listenPort: number }) | null;
  /** Monitors of other replicas, HOST:PORT; null = none. */
  readonly replicas: string | null;
  /** The library in the server is to reach the analyser: its socket is mounted there too. */
  readonly library: boolean;
  /** Annotations with the prefix that say nothing to the injector. */
  readonly unknown: readonly string[];
}

/** Why a pod that asks for the sidecar does not get it. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

/** @throws OptionError naming the annotation and what it may be */
export function optionsOf(pod: Pod): PodOptions {
  const annotations = pod.metadata?.annotations ?? {};
  const said = (name: string): string | undefined => annotations[`${PREFIX}${name}`];
  const server = serverOf(pod.spec.containers, said('container'));
  const framework = frameworkOf(said('framework'));
  const container = pod.spec.containers[server];
  const ports = new ServerPorts(container, framework === 'triton');
  const port = portOf(container, ports, said('port'));
  const grpc = ports.grpc?.number === port.number ? null : ports.grpc;
  const listenPort = numberOf('listen-port', said('listen-port'), LAST_LISTEN_PORT) ?? FIRST_LISTEN_PORT;
  return {
    server,
    framework,
    samplingRate: rateOf(said('sampling-rate')),
    port,
    listenPort,
    grpc: grpc === null ? null : { ...grpc, listenPort: listenPort + 1 },
    replicas: endpointsOf(said('replicas')),
    library: flagOf('library', said('library')),
    unknown: Object.keys(annotations).filter(
      (name) => name.startsWith(PREFIX) && !KNOWN.includes(name.slice(PREFIX.length)),
    ),
  };
}

function serverOf(containers: readonly Container[], name: string | undefined): number {
  if (name !== undefined) {
    const index = containers.findIndex((container) => container.name === name);
    const names = containers.map((container) => container.name).join(', ');
    if (index < 0) throw wrong('container', name, `one of the containers of the pod (${names})`);
    return index;
  }
  const withGpu = containers.findIndex(
    ({ resources }) =>
      Object.keys(resources?.limits ?? {}).some((name) => GPU.test(name)) || (resources?.claims ?? []).length > 0,
  );
  return Math.max(0, withGpu);
}

function frameworkOf(value = 'generic'): Framework {
  const known = FRAMEWORKS.find((framework) => framework === value);
  if (known === undefined) throw wrong('framework', value, `one of ${FRAMEWORKS.join(', ')}`);
  return known;
}

function rateOf(value: string | undefined): number | null {
  if (value === undefined) return null;
  const rate = DECIMAL.test(value) ? Number(value) : Number.NaN;
  if (!(rate >= 0 && rate <= 1)) throw wrong('sampling-rate', value, 'a number from 0 to 1');
  return rate;
}

function portOf(container: Container | undefined, ports: ServerPorts, value: string | undefined): ServerPort {
  if (value !== undefined) {
    if (/^\d+$/.test(value)) numberOf('port', value);
    const said = ports.said(value);
    if (said === null) throw wrong('port', value, 'a port of the container for HTTP, by name or number');
    return said;
  }
  const { http } = ports;
  if (http === null)
    throw new OptionError(
      `container ${container?.name} has ports for gRPC and metrics alone: name that of HTTP, by annotation ${PREFIX}port`,
    );
  return http;
}

function numberOf(name: string, value: string | undefined, last = 65_535): number | undefined {
  if (value === undefined) return undefined;
  const port = Number(value);
  if (!/^\d+$/.test(value) || port < 1 || port > last) throw wrong(name, value, `a port, 1 to ${last}`);
  return port;
}

function endpointsOf(value: string | undefined): string | null {
  if (value === undefined) return null;
  const bad = value.split(',').find((each) => !isEndpoint(each.trim()));
  if (bad !== undefined) throw wrong('replicas', value, 'endpoints HOST:PORT with "," between them');
  return value;
}

function isEndpoint(value: string): boolean {
  const parts = splitHostPort(value);
  return parts !== undefined && parts.host !== '' && parts.port > 0;
}

function flagOf(name: string, value: string | undefined): boolean {
  if (value === undefined || value === 'false') return false;
  if (value !== 'true') throw wrong(name, value, '"true" or "false"');
  return true;
}

function wrong(name: string, value: string, expected: string): OptionError {
  return new OptionError(`annotation sentinel-sdc.io/${name} is "${value.slice(0, 100)}": it has to be ${expected}`);
}

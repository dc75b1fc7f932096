import { splitHostPort } from '@sentinel/service-kit/config';
import type { Container, Pod } from './pod.js';

/** Label by which a pod asks for the sidecar, and its value. */
export const OPT_IN = { label: 'sentinel-sdc.io/inject', value: 'enabled' } as const;

/** Set on a pod that has it. */
export const INJECTED = 'sentinel-sdc.io/injected';

export const CONTAINER_NAME = 'sentinel-inference-monitor';

const FRAMEWORKS = ['vllm', 'trtllm', 'triton', 'generic'] as const;
export type Framework = (typeof FRAMEWORKS)[number];

/** Resources that a container with a GPU asks for; by DRA it has claims instead. */
const GPU = /^(nvidia\.com\/(gpu|mig-.+)|amd\.com\/gpu)(\.shared)?$/;

/** Names of a port for gRPC, as service meshes and the Gateway API know them too. */
const GRPC_NAME = /^(grpc|h2c)(-|$)|-(grpc|h2c)$/;

/** Where Triton has it, whatever it is called. */
const GRPC_PORT = 8001;

/** Where the servers listen unless they are told otherwise. */
const USUAL_PORT = 8_000;
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
  /** Port of the server: its number, and its name where it has one. */
  readonly port: { readonly number: number; readonly name: string | null };
  /** Where the sidecar listens in its place. */
  readonly listenPort: number;
  /** Port of KServe over gRPC, and where the sidecar listens in its place; null = there is none of that name. */
  readonly grpc: { readonly number: number; readonly name: string | null; readonly listenPort: number } | null;
  /** Monitors of other replicas, HOST:PORT; null = none. */
  readonly replicas: string | null;
  /** The library in the server is to reach the analyser: its socket is mounted there too. */
  readonly library: boolean;
}

/** Why a pod that asks for the sidecar does not get it. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
}

/** @throws OptionError naming the annotation and what it may be */
export function optionsOf(pod: Pod): PodOptions {
  const annotations = pod.metadata?.annotations ?? {};
  const said = (name: string): string | undefined => annotations[`sentinel-sdc.io/${name}`];
  const server = serverOf(pod.spec.containers, said('container'));
  const framework = frameworkOf(said('framework'));
  const port = portOf(pod.spec.containers[server], said('port'));
  const listenPort = numberOf('listen-port', said('listen-port'), LAST_LISTEN_PORT) ?? FIRST_LISTEN_PORT;
  return {
    server,
    framework,
    samplingRate: rateOf(said('sampling-rate')),
    port,
    listenPort,
    grpc: framework === 'triton' ? grpcOf(pod.spec.containers[server], port.number, listenPort) : null,
    replicas: endpointsOf(said('replicas')),
    library: flagOf('library', said('library')),
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
  const rate = value.trim() === '' ? Number.NaN : Number(value);
  if (!(rate >= 0 && rate <= 1)) throw wrong('sampling-rate', value, 'a number from 0 to 1');
  return rate;
}

function portOf(server: Container | undefined, value: string | undefined): PodOptions['port'] {
  const ports = server?.ports ?? [];
  const asNumber = value !== undefined && /^\d+$/.test(value) ? numberOf('port', value) : undefined;
  if (asNumber !== undefined) {
    const known = ports.find(({ containerPort }) => containerPort === asNumber);
    return { number: asNumber, name: known?.name ?? null };
  }
  const named = ports.find(({ name }) => name === (value ?? 'http'));
  if (value !== undefined && named === undefined)
    throw wrong('port', value, 'a port of the container, by name or number');
  const found = named ?? ports[0];
  return found === undefined
    ? { number: USUAL_PORT, name: null }
    : { number: found.containerPort, name: found.name ?? null };
}

function grpcOf(server: Container | undefined, http: number, listenPort: number): PodOptions['grpc'] {
  const ports = (server?.ports ?? []).filter(({ containerPort }) => containerPort !== http);
  const port =
    ports.find(({ name }) => name !== undefined && GRPC_NAME.test(name)) ??
    ports.find(({ containerPort }) => containerPort === GRPC_PORT);
  if (port === undefined) return null;
  return { number: port.containerPort, name: port.name ?? null, listenPort: listenPort + 1 };
}

function numberOf(name: string, value: string | undefined, last = 65_535): number | undefined {
  if (value === undefined) return undefined;
  const port = Number(value);
  if (!/^\d+$/.test(value) || port < 1 || port > last) throw wrong(name, value, `a port, 1 to ${last}`);
  return port;
}

function endpointsOf(value: string | undefined): string | null {
  if (value === undefined) return null;
  const bad = value.split(',').find((each) => splitHostPort(each.trim()) === undefined);
  if (bad !== undefined) throw wrong('replicas', value, 'endpoints HOST:PORT with "," between them');
  return value;
}

function flagOf(name: string, value: string | undefined): boolean {
  if (value === undefined || value === 'false') return false;
  if (value !== 'true') throw wrong(name, value, '"true" or "false"');
  return true;
}

function wrong(name: string, value: string, expected: string): OptionError {
  return new OptionError(`annotation sentinel-sdc.io/${name} is "${value.slice(0, 100)}": it has to be ${expected}`);
}

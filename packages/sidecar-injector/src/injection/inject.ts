import { CONTAINER_NAME, INJECTED, OPT_IN, OptionError, optionsOf, type PodOptions } from './options.js';
import { type Container, type PatchOperation, type Pod, type PortTarget, type Probe, pointer } from './pod.js';
import type { ServerPort } from './ports.js';
import {
  METRICS_PORT,
  REPLICAS_PORT,
  type SidecarSettings,
  SOCKET_FOLDER,
  sidecarContainer,
  sidecarVolumes,
  VOLUMES,
} from './sidecar.js';

/** What becomes of a pod. */
export interface Injection {
  /** injected: `patch` does it. not_asked: no label. present: it has the sidecar. refused: `warnings` say why; the pod is as it was. */
  readonly outcome: 'injected' | 'not_asked' | 'present' | 'refused';
  readonly patch: readonly PatchOperation[];
  /** For whoever creates the pod. */
  readonly warnings: readonly string[];
}

const ANOTHER_PORT = 'set annotation sentinel-sdc.io/listen-port to another port';
const HOOKS = ['postStart', 'preStop'] as const;
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;

/**
 * Puts the sidecar before the inference server of a pod that asks for it. A port of the server that has a name gives the name to the
 * sidecar, so that Services which target it by name reach the sidecar, and the server itself where no sidecar was injected.
 */
export function injectionFor(pod: Pod, settings: SidecarSettings): Injection {
  const nothing = { patch: [], warnings: [] };
  if (pod.metadata?.labels?.[OPT_IN.label] !== OPT_IN.value) return { outcome: 'not_asked', ...nothing };
  if (containersOf(pod).some(({ name }) => name === CONTAINER_NAME)) return { outcome: 'present', ...nothing };
  try {
    return inject(pod, optionsOf(pod), settings);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    return { outcome: 'refused', patch: [], warnings: [`no sidecar: ${error.message}`] };
  }
}

function inject(pod: Pod, options: PodOptions, settings: SidecarSettings): Injection {
  const { server, port, grpc, listenPort, library, replicas, unknown } = options;
  const container = pod.spec.containers[server];
  if (container === undefined) throw new OptionError('the pod has no container');
  if (pod.spec.os?.name === 'windows') throw new OptionError('the pod is of Windows');
  const { restartPolicy = 'Always' } = pod.spec;
  if (restartPolicy !== 'Always')
    throw new OptionError(
      `the pod is to end by itself (restartPolicy ${restartPolicy}), and a sidecar would not let it`,
    );
  const fixed = [METRICS_PORT, ...(replicas === null ? [] : [REPLICAS_PORT])];
  checkPorts(pod, [port, ...(grpc === null ? [] : [grpc])], {
    wanted: grpc === null ? [listenPort] : [listenPort, grpc.listenPort],
    fixed,
  });
  const moved = [port.name, grpc?.name ?? null].filter((name) => name !== null);
  const warnings = unknown.map((name) => `annotation ${name} is none that the injector knows`);
  // Who has a port of gRPC alone misses nothing.
  if (port.name === null && (port.isDeclared || grpc === null)) warnings.push(notByName('port', listenPort));
  if (grpc !== null && grpc.name === null) warnings.push(notByName('port of gRPC', grpc.listenPort));
  const volumes = sidecarVolumes(settings);
  const taken = pod.spec.volumes?.find(({ name }) => volumes.some((volume) => volume.name === name));
  if (taken !== undefined) throw new OptionError(`the pod has a volume ${taken.name} of its own`);
  return {
    outcome: 'injected',
    warnings,
    patch: [
      annotate(pod),
      ...(moved.length === 0 ? [] : withoutPortNames(container, server, moved)),
      ...(library ? [withSocket(container, server)] : []),
      ...appended(pod.spec.volumes, ['spec', 'volumes'], volumes),
      {
        op: 'add',
        path: '/spec/containers/-',
        value: sidecarContainer(settings, options, pod.spec.terminationGracePeriodSeconds),
      },
    ],
  };
}

function notByName(port: string, listenPort: number): string {
  return `the ${port} of the inference server has no name: give it one and let Services target the name, or target ${listenPort}; until then no request passes through the sidecar`;
}

function containersOf({ spec }: Pod): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** Ports of the sidecar: where it listens in place of the server, and those that no annotation moves. */
interface SidecarPorts {
  readonly wanted: readonly number[];
  readonly fixed: readonly number[];
}

/** Containers of a pod share their ports. @param server also those that no container declares */
function checkPorts(pod: Pod, server: readonly ServerPort[], { wanted, fixed }: SidecarPorts): void {
  if (pod.spec.hostNetwork === true) throw new OptionError('the pod is in the network of its host');
  const own = wanted.find((port) => fixed.includes(port));
  if (own !== undefined) throw new OptionError(`the sidecar listens on ${own} for something else: ${ANOTHER_PORT}`);
  const declared = containersOf(pod).flatMap(({ name, ports = [] }) =>
    ports.map(({ containerPort }) => [`container ${name}`, containerPort] as const),
  );
  for (const [name, number] of [...declared, ...server.map(({ number: of }) => ['the server', of] as const)]) {
    const who = `${name} listens on ${number} itself`;
    if (wanted.includes(number)) throw new OptionError(`${who}: ${ANOTHER_PORT}`);
    if (fixed.includes(number)) throw new OptionError(`${who}, which the sidecar needs: move that one`);
  }
}

function annotate({ metadata }: Pod): PatchOperation {
  const annotations = metadata?.annotations;
  return annotations === undefined
    ? { op: 'add', path: '/metadata/annotations', value: { [INJECTED]: 'true' } }
    : { op: 'add', path: pointer('metadata', 'annotations', INJECTED), value: 'true' };
}

/** The names go to the sidecar; probes and hooks of the server, which name ports of their own container, keep the numbers. */
function withoutPortNames(container: Container, index: number, names: readonly string[]): PatchOperation[] {
  const ports = container.ports ?? [];
  const isMoved = (name: string | undefined) => name !== undefined && names.includes(name);
  const numbers = new Map(ports.map(({ name, containerPort }) => [name, containerPort]));
  const unnamed = ports.map(({ name, ...port }) => (isMoved(name) || name === undefined ? port : { name, ...port }));
  const at = (kind: string) => pointer('spec', 'containers', index, kind);
  const byNumber = <T extends PortTarget>(target: T): T => {
    const number = typeof target.port === 'string' && isMoved(target.port) ? numbers.get(target.port) : undefined;
    return number === undefined ? target : { ...target, port: number };
  };
  const asking = (probe: Probe): Probe => ({
    ...probe,
    ...(probe.httpGet === undefined ? {} : { httpGet: byNumber(probe.httpGet) }),
    ...(probe.tcpSocket === undefined ? {} : { tcpSocket: byNumber(probe.tcpSocket) }),
  });
  const probes = PROBES.flatMap((kind) => {
    const probe = container[kind];
    return probe === undefined ? [] : [{ op: 'replace', path: at(kind), value: asking(probe) } as const];
  });
  const hooks = HOOKS.flatMap((kind) => {
    const hook = container.lifecycle?.[kind];
    return hook === undefined
      ? []
      : [{ op: 'replace', path: `${at('lifecycle')}/${kind}`, value: asking(hook) } as const];
  });
  return [{ op: 'replace', path: at('ports'), value: unnamed }, ...probes, ...hooks];
}

function withSocket(container: Container, index: number): PatchOperation {
  const mount = { name: VOLUMES.run, mountPath: SOCKET_FOLDER };
  const there = container.volumeMounts?.find(({ mountPath }) => mountPath.replace(/\/+$/, '') === SOCKET_FOLDER);
  if (there !== undefined)
    throw new OptionError(
      `container ${container.name} mounts ${there.name} at ${SOCKET_FOLDER} itself: take that away, or annotation sentinel-sdc.io/library`,
    );
  const [operation] = appended(container.volumeMounts, ['spec', 'containers', index, 'volumeMounts'], [mount]);
  if (operation === undefined) throw new Error('a mount is one operation');
  return operation;
}

/** A list that is not there has to be made as a whole. */
function appended(
  list: readonly unknown[] | undefined,
  path: readonly (string | number)[],
  values: readonly unknown[],
): PatchOperation[] {
  if (list === undefined) return [{ op: 'add', path: pointer(...path), value: values }];
  return values.map((value) => ({ op: 'add', path: pointer(...path, '-'), value }));
}

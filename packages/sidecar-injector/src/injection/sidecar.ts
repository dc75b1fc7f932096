import { CONTAINER_NAME, type PodOptions } from './options.js';

/** As the injector is configured. */
export interface SidecarSettings {
  readonly image: string;
  readonly engineEndpoint: string;
  readonly samplingRate: number;
  /** Secret with the monitor's certificate, in the namespace of the pod. */
  readonly tlsSecret: string;
  readonly tlsEnabled: boolean;
  readonly cpuRequest: string;
  readonly cpuLimit: string;
  readonly memoryRequest: string;
  readonly memoryLimit: string;
}

export const VOLUMES = { certs: 'sentinel-certs', data: 'sentinel-data', run: 'sentinel-run' } as const;

export const SOCKET_FOLDER = '/run/sentinel';

export const METRICS_PORT = 9_093;
export const REPLICAS_PORT = 50_053;
const SENTINEL_USER = 1_000;
/** Time for endpoints to forget the pod before connections are drained, seconds. */
const LONGEST_BEFORE_STOP_S = 5;
/** Between SIGTERM and SIGKILL unless the pod says otherwise, seconds. */
const USUAL_GRACE_S = 30;
/** What `drain_s` takes. */
const LONGEST_DRAIN_S = 3_600;
/** A spool that is full takes no more than this. */
const DATA_LIMIT = '64Mi';

/** Ports that have a name take it over from the server. @param graceS between SIGTERM and SIGKILL */
export function sidecarContainer(
  settings: SidecarSettings,
  options: PodOptions,
  graceS: number = USUAL_GRACE_S,
): object {
  const { listenPort, framework, port, grpc, samplingRate, replicas } = options;
  // Where there is little time the drain has half of it.
  const beforeStopS = Math.min(LONGEST_BEFORE_STOP_S, Math.floor(graceS / 2));
  const own = (name: string, value: string) => ({ name: `SENTINEL_INFERENCE_MONITOR_${name}`, value });
  const fromPod = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return {
    name: CONTAINER_NAME,
    image: settings.image,
    // Who turns TLS off wants plaintext to the engine, which is on no loopback here; a monitor that refuses would let no request pass.
    ...(settings.tlsEnabled ? {} : { args: ['--insecure'] }),
    env: [
      fromPod('NODE_NAME', 'spec.nodeName'),
      fromPod('POD_NAME', 'metadata.name'),
      own('CORRELATION_ENGINE_ENDPOINT', settings.engineEndpoint),
      own('SAMPLING_RATE', String(samplingRate ?? settings.samplingRate)),
      own('FRAMEWORK', framework),
      own('LISTEN_ADDRESS', everywhere(listenPort)),
      own('UPSTREAM_URL', `http://127.0.0.1:${port.number}`),
      ...(grpc === null
        ? []
        : [own('GRPC_LISTEN_ADDRESS', everywhere(grpc.listenPort)), own('UPSTREAM_GRPC', `127.0.0.1:${grpc.number}`)]),
      own('METRICS_LISTEN_ADDRESS', everywhere(METRICS_PORT)),
      own('DRAIN_S', String(Math.min(LONGEST_DRAIN_S, Math.max(1, graceS - beforeStopS)))),
      own('TLS_ENABLED', String(settings.tlsEnabled)),
      ...(replicas === null
        ? []
        : [own('REPLICAS_ENDPOINTS', replicas), own('REPLICAS_LISTEN_ADDRESS', everywhere(REPLICAS_PORT))]),
    ],
    ports: [
      { ...(port.name === null ? {} : { name: port.name }), containerPort: listenPort },
      ...(grpc === null
        ? []
        : [{ ...(grpc.name === null ? {} : { name: grpc.name }), containerPort: grpc.listenPort }]),
      { name: 'sdc-metrics', containerPort: METRICS_PORT },
      ...(replicas === null ? [] : [{ name: 'sdc-peers', containerPort: REPLICAS_PORT }]),
    ],
    readinessProbe: { tcpSocket: { port: listenPort }, periodSeconds: 5 },
    lifecycle: { preStop: { exec: { command: ['sleep', String(beforeStopS)] } } },
    resources: {
      requests: { cpu: settings.cpuRequest, memory: settings.memoryRequest },
      limits: { cpu: settings.cpuLimit, memory: settings.memoryLimit },
    },
    securityContext: {
      runAsUser: SENTINEL_USER,
      runAsGroup: SENTINEL_USER,
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [
      { name: VOLUMES.data, mountPath: '/var/lib/sentinel' },
      { name: VOLUMES.run, mountPath: SOCKET_FOLDER },
      { name: VOLUMES.certs, mountPath: '/etc/sentinel/certs', readOnly: true },
    ],
  };
}

/** Of IPv4 and IPv6: of which the cluster is, a pod does not know before it runs. */
function everywhere(port: number): string {
  return `[::]:${port}`;
}

/** The certificate is optional: a pod must start without it, and the monitor says that it is missing. */
export function sidecarVolumes({ tlsSecret }: SidecarSettings): readonly { readonly name: string }[] {
  const items = [
    { key: 'tls.crt', path: 'inference-monitor.crt' },
    { key: 'tls.key', path: 'inference-monitor.key' },
    { key: 'ca.crt', path: 'ca.crt' },
  ];
  const certificate = {
    name: VOLUMES.certs,
    secret: { secretName: tlsSecret, optional: true, defaultMode: 0o444, items },
  };
  return [
    { name: VOLUMES.data, emptyDir: { sizeLimit: DATA_LIMIT } } as { name: string },
    { name: VOLUMES.run, emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } } as { name: string },
    certificate,
  ];
}

import type { Container, Pod } from '../injection/pod.js';
import type { SidecarSettings } from '../injection/sidecar.js';

export const SETTINGS: SidecarSettings = {
  image: 'ghcr.io/sentinel-sdc/inference-monitor:0.1.0-alpha',
  engineEndpoint: 'correlation-engine.sentinel.svc:50051',
  samplingRate: 0.01,
  tlsEnabled: true,
  tlsSecret: 'sentinel-inference-monitor-tls',
  cpuRequest: '100m',
  cpuLimit: '500m',
  memoryRequest: '128Mi',
  memoryLimit: '256Mi',
};

/** A container with an inference server, as people write it. */
export function server(changes: Partial<Container> = {}): Container {
  return {
    name: 'server',
    ports: [{ name: 'http', containerPort: 8000, protocol: 'TCP' }],
    resources: { limits: { 'nvidia.com/gpu': '1' } },
    readinessProbe: { httpGet: { port: 'http' } },
    ...changes,
  };
}

interface PodParts {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly containers?: readonly Container[];
  readonly spec?: Partial<Pod['spec']>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A pod that asks for the sidecar. @param parts annotations without their prefix */
export function podOf({ annotations, containers = [server()], spec = {}, labels }: PodParts = {}): Pod {
  const entries = Object.entries(annotations ?? {}).map(([name, value]) => [`sentinel-sdc.io/${name}`, value] as const);
  return {
    metadata: {
      name: 'llama-0',
      labels: labels ?? { 'sentinel-sdc.io/inject': 'enabled' },
      ...(annotations === undefined ? {} : { annotations: Object.fromEntries(entries) }),
    },
    spec: { containers, ...spec },
  };
}

/** As the API server asks about it. */
export function reviewOf(pod: unknown, uid = 'u-1'): object {
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      ...{ uid, operation: 'CREATE', namespace: 'inference', dryRun: false },
      kind: { group: '', version: 'v1', kind: 'Pod' },
      object: pod,
    },
  };
}

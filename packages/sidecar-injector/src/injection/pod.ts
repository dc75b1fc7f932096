/** The parts of a Kubernetes v1 Pod that injection reads or writes; what else a pod has is left alone. */
export interface Pod {
  readonly metadata?: {
    readonly name?: string;
    readonly generateName?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly volumes?: readonly Volume[];
    readonly hostNetwork?: boolean;
    readonly os?: { readonly name: string };
    readonly restartPolicy?: string;
    readonly terminationGracePeriodSeconds?: number;
  };
}

export interface Container {
  readonly name: string;
  readonly ports?: readonly ContainerPort[];
  readonly resources?: { readonly limits?: Readonly<Record<string, unknown>>; readonly claims?: readonly unknown[] };
  readonly volumeMounts?: readonly VolumeMount[];
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly startupProbe?: Probe;
  readonly lifecycle?: { readonly postStart?: Probe; readonly preStop?: Probe };
}

export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol?: string;
}

export interface Probe {
  readonly httpGet?: PortTarget;
  readonly tcpSocket?: PortTarget;
}

/** A port by its number, or by its name in the same container. */
export interface PortTarget {
  readonly port: number | string;
}

export interface Volume {
  readonly name: string;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
}

/** An operation of RFC 6902. */
export interface PatchOperation {
  readonly op: 'add' | 'replace';
  readonly path: string;
  readonly value: unknown;
}

/** @param tokens of a JSON pointer, RFC 6901 */
export function pointer(...tokens: readonly (string | number)[]): string {
  return tokens.map((token) => `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

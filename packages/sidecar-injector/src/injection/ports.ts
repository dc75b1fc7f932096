import type { Container, ContainerPort } from './pod.js';

/** Names of a port for gRPC, as service meshes and the Gateway API know them too. */
const GRPC_NAME = /^(grpc|h2c)|-(grpc|h2c)\d*(-|$)/;
const HTTP_NAME = /^http1?(-|$)|-http$/;
const METRICS_NAME = /metrics|prom(-|$)|prometheus/;

/** Where Triton has them, whatever they are called. */
const TRITON = { grpc: 8_001, metrics: 8_002 };

/** Where KServe has gRPC of a Triton, if the port has no name that says otherwise. */
const KSERVE_GRPC = 9_000;

/** Where the servers listen unless they are told otherwise. */
const USUAL_PORT = 8_000;

/** A port of the server: its number, and its name where it has one. */
export interface ServerPort {
  readonly number: number;
  readonly name: string | null;
  /** The container says that it has it. */
  readonly isDeclared: boolean;
}

/** Ports of an inference server by what they are for. */
export class ServerPorts {
  readonly #tcp: readonly ContainerPort[];
  readonly #isTriton: boolean;

  constructor(server: Container | undefined, isTriton: boolean) {
    this.#tcp = (server?.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP');
    this.#isTriton = isTriton;
  }

  /** Of HTTP, as the annotation says; null = it is none of those that the container has. */
  said(value: string): ServerPort | null {
    if (/^\d+$/.test(value)) {
      const number = Number(value);
      const found = this.#tcp.find(({ containerPort }) => containerPort === number);
      if (found === undefined) return undeclared(number);
      // A number alone says less than who sets the annotation.
      return GRPC_NAME.test(found.name ?? '') ? null : portOf(found);
    }
    const named = this.#tcp.find(({ name }) => name === value);
    return named === undefined || this.#isGrpc(named) ? null : portOf(named);
  }

  /** Of HTTP, by its name, else by its number; null = all are for something else. */
  get http(): ServerPort | null {
    const ports = this.#tcp.filter((port) => !this.#isGrpc(port) && !this.#isMetrics(port));
    const found =
      ports.find(({ name }) => name === 'http') ??
      ports.find(({ name = '' }) => HTTP_NAME.test(name)) ??
      ports.find(({ containerPort }) => containerPort === USUAL_PORT) ??
      ports[0];
    // Clients of a Triton may speak gRPC alone.
    const isKnown = this.#tcp.length === 0 || (this.#isTriton && this.grpc !== null);
    return portOf(found) ?? (isKnown ? undeclared(USUAL_PORT) : null);
  }

  /** Of KServe over gRPC; null = there is none. */
  get grpc(): ServerPort | null {
    if (!this.#isTriton) return null;
    return portOf(
      this.#tcp.find(({ name = '' }) => GRPC_NAME.test(name)) ?? this.#tcp.find((port) => this.#isGrpc(port)),
    );
  }

  #isGrpc({ name = '', containerPort }: ContainerPort): boolean {
    if (GRPC_NAME.test(name)) return true;
    if (!this.#isTriton || HTTP_NAME.test(name)) return false;
    return containerPort === TRITON.grpc || (containerPort === KSERVE_GRPC && name === '');
  }

  #isMetrics({ name = '', containerPort }: ContainerPort): boolean {
    return METRICS_NAME.test(name) || (this.#isTriton && containerPort === TRITON.metrics && !HTTP_NAME.test(name));
  }
}

function portOf(port: ContainerPort | undefined): ServerPort | null {
  return port === undefined ? null : { number: port.containerPort, name: port.name ?? null, isDeclared: true };
}

function undeclared(number: number): ServerPort {
  return { number, name: null, isDeclared: false };
}

import type { MethodDefinition } from '@grpc/grpc-js';
import type { SentinelError } from '@sentinel/service-kit/errors';
import { failStream, type ServiceEntry } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import type { HttpAnswer, HttpRequest } from '../api/http/routes.js';
import { CarriedCall, type RawCall } from './carried-call.js';
import { carryHttp } from './carried-http.js';
import { watchLeader } from './leader-watch.js';
import type { Link } from './link.js';
import { noLeader } from './no-leader.js';

/** Calls that this replica carries at once; beyond it new ones are refused. An agent has two. */
const MAX_CARRIED = 65_536;
/** The stream that an agent has for as long as it is connected. */
const AGENT_STREAM = '/AgentControl';

export interface CarrierParts {
  /** Names this replica in what the leader is told. */
  readonly replica: string;
  readonly log: Logger;
  /** A way to the replica at this address. */
  readonly connect: (address: string) => Link;
  /** Calls reach somebody who decides, or do not. */
  readonly changed: () => void;
}

/** Carries the calls of this replica's clients to the leader, wherever it is. */
export class Carrier {
  readonly #parts: CarrierParts;
  readonly #open = new Set<CarriedCall>();
  #agents = 0;
  #link: Link | null = null;
  #reachable = false;

  constructor(parts: CarrierParts) {
    this.#parts = parts;
  }

  /** Connected agents whose calls are carried. */
  get agents(): number {
    return this.#agents;
  }

  get calls(): number {
    return this.#open.size;
  }

  /** The leader decides and answers: calls are carried. */
  get reachable(): boolean {
    return this.#reachable;
  }

  /** The same methods, carried. */
  services(services: readonly ServiceEntry[]): ServiceEntry[] {
    return services.map(({ definition, roles }) => ({
      roles,
      definition: Object.fromEntries(Object.entries(definition).map(([key, method]) => [key, asBytes(method)])),
      implementation: Object.fromEntries(
        Object.entries(definition).map(([key, { path }]) => [key, (call: RawCall) => this.#carry(call, path)]),
      ),
    }));
  }

  /** Where the leader is; null = nowhere. Calls that were carried elsewhere end: their callers come back. */
  to(address: string | null): void {
    if (address === (this.#link?.address ?? null)) return;
    this.end(noLeader());
    this.#link?.close();
    this.#link = null;
    this.#reached(false);
    if (address === null) return;
    const link = this.#parts.connect(address);
    this.#link = link;
    void watchLeader(link, this.#parts.replica, (decides) => this.#reached(decides));
  }

  /** Ends every call. */
  end(error: SentinelError): void {
    for (const call of this.#open) call.end(error);
  }

  /** What the leader answers to a request over HTTP. @throws SentinelError as the leader does, UNAVAILABLE without one */
  async http(request: HttpRequest): Promise<HttpAnswer> {
    if (this.#link === null || !this.#reachable) throw noLeader();
    return carryHttp(this.#link, this.#parts.replica, request);
  }

  #reached(reachable: boolean): void {
    if (reachable === this.#reachable) return;
    this.#reachable = reachable;
    this.#parts.changed();
  }

  #carry(call: RawCall, path: string): void {
    if (this.#link === null || !this.#reachable || this.#open.size >= MAX_CARRIED)
      return failStream(call, noLeader(), this.#parts.log);
    const agents = path.endsWith(AGENT_STREAM) ? 1 : 0;
    const carried = new CarriedCall(call, path, this.#link, this.#parts.replica, (ended) => {
      this.#open.delete(ended);
      this.#agents -= agents;
    });
    this.#open.add(carried);
    this.#agents += agents;
  }
}

const asIs = (bytes: Buffer): Buffer => bytes;

function asBytes(method: MethodDefinition<unknown, unknown>): MethodDefinition<Buffer, Buffer> {
  const streams = { requestStream: true, responseStream: true };
  const bytes = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  return { path: method.path, ...streams, ...bytes };
}

import type { Client, ClientReadableStream } from '@grpc/grpc-js';
import {
  type AuditEntry,
  AuditServiceClient,
  type GetCheckpointResponse,
  type QueryAuditTrailRequest,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import { GpuState } from '@sentinel/contracts/sentinel/v1/common.js';
import {
  CorrelationServiceClient,
  type ExplainDecisionResponse,
  type GetGpuHistoryRequest,
  type GetGpuHistoryResponse,
  type GpuHealth,
  type QueryFleetHealthRequest,
  type QueryFleetHealthResponse,
  type QueryGpuHealthResponse,
  type Transition,
} from '@sentinel/contracts/sentinel/v1/health.js';
import type { Incident } from '@sentinel/contracts/sentinel/v1/incidents.js';
import {
  type PauseDeviceResponse,
  ProbeControlServiceClient,
  type ResumeDeviceResponse,
  type SetScheduleResponse,
} from '@sentinel/contracts/sentinel/v1/probe_control.js';
import {
  type AcceptLedgerRollbackResponse,
  type GetRateLimitResponse,
  type IssueDirectiveRequest,
  type IssueDirectiveResponse,
  type PendingDirective,
  QuarantineServiceClient,
  type ResolveIncidentRequest,
  type StreamDirectivesRequest,
  type StreamDirectivesResponse,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import {
  type GetTrustGraphRequest,
  type GetTrustGraphResponse,
  TrustServiceClient,
} from '@sentinel/contracts/sentinel/v1/trust.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type ClientClass, type ClientConnection, callUnary, createClient } from '@sentinel/service-kit/grpc-client';
import { connectionTo, operatorConnection } from './connection.js';
import type { Endpoints } from './endpoints.js';
import { explainCall } from './failure.js';
import { collect } from './pages.js';

/** Likewise of what waits for an operator: one of each action for each device at most. */
const MAX_PENDING = 100_000;
/** Devices that a command asks for at most: far above any one engine's fleet. */
const MAX_GPUS = 200_000;
const DEADLINE_MS = 10_000;

/** A fleet in one answer. */
export type Fleet = Omit<QueryFleetHealthResponse, 'nextPageToken'>;
/** Entries of a device's history. */
export type History = Omit<GetGpuHistoryResponse, 'nextPageToken'>;
export type FleetFilter = Partial<Pick<QueryFleetHealthRequest, 'nodePrefix' | 'model' | 'state'>>;

/** Questions and orders to the engine. Every method rejects with a SentinelError that says what to do. */
export interface EngineClient {
  readonly address: string;
  /** Every device, all pages. */
  fleet(filter?: FleetFilter, deadlineMs?: number): Promise<Fleet>;
  /** @param gpu id, or a prefix that only one device has; so in all methods */
  gpu(gpu: string): Promise<GpuHealth & Pick<QueryGpuHealthResponse, 'telemetry'>>;
  explain(gpu: string): Promise<ExplainDecisionResponse>;
  /** At most `limit` entries in all, each list newest first. */
  history(gpu: string, range: { startUs: bigint; endUs: bigint }, limit: number): Promise<History>;
  /** As an operator. */
  order(request: IssueDirectiveRequest): Promise<IssueDirectiveResponse>;
  /** Everything that waits for an operator, oldest first. */
  pending(): Promise<PendingDirective[]>;
  /** As an operator, as the next; undefined = it made no transition. */
  approve(directiveId: string, reason: string): Promise<Transition | undefined>;
  reject(directiveId: string, reason: string): Promise<void>;
  /** Those that hold first; with `active`, those alone. */
  incidents(active: boolean): Promise<Incident[]>;
  /** As an operator. */
  resolveIncident(request: ResolveIncidentRequest): Promise<Incident>;
  rateLimit(): Promise<GetRateLimitResponse>;
  /** As an operator. Resolves with how many quarantines do not count any more. */
  resetRateLimit(reason: string): Promise<number>;
  acceptLedgerRollback(reason: string): Promise<AcceptLedgerRollbackResponse>;
  /** What orchestrators are told, until the signal. */
  directives(request: StreamDirectivesRequest, signal: AbortSignal): AsyncIterable<StreamDirectivesResponse>;
  /** As an operator; a duration of 0 = until resumed. Resolves with the device's whole id and when the pause ends. */
  pause(gpu: string, durationMs: bigint, reason: string): Promise<PauseDeviceResponse>;
  /** Who computed the same as whom. */
  trust(request: GetTrustGraphRequest): Promise<GetTrustGraphResponse>;
  /** As an operator. Resolves with the device's whole id. */
  resume(gpu: string, reason: string): Promise<ResumeDeviceResponse>;
  /** As an operator; '' = the agent's own file again. Resolves with the name of the version. */
  schedule(node: string, yaml: string, reason: string): Promise<SetScheduleResponse>;
  close(): void;
}

export type AuditFilter = Pick<QueryAuditTrailRequest, 'gpu' | 'type' | 'startUs' | 'endUs'>;

export interface LedgerClient {
  readonly address: string;
  checkpoint(): Promise<GetCheckpointResponse>;
  /** What shows that the log of `newSize` entries begins with that of `oldSize`. */
  consistencyProof(oldSize: number, newSize: number): Promise<readonly Uint8Array[]>;
  /** Newest first. */
  entries(filter: AuditFilter, limit: number): Promise<AuditEntry[]>;
  close(): void;
}

/** What is done to every answer before anybody sees it. */
export type Reading = <T>(answer: T) => T;

export function engineClient(endpoints: Endpoints, read: Reading): EngineClient {
  const address = endpoints.engine.grpc;
  const service = new Service('engine', address, read);
  const trust = () => service.client(TrustServiceClient, () => connectionTo(address, endpoints));
  const queries = () => service.client(CorrelationServiceClient, () => connectionTo(address, endpoints));
  // Orders need the operator's token, questions do not: two clients of one service.
  const reader = new Service('engine', address, read);
  const waiting = () => reader.client(QuarantineServiceClient, () => connectionTo(address, endpoints));
  const orders = () => service.client(QuarantineServiceClient, () => operatorConnection(address, endpoints));
  const control = () => service.client(ProbeControlServiceClient, () => operatorConnection(address, endpoints));
  return {
    address,
    fleet: (filter = {}, deadlineMs = DEADLINE_MS) => service.ask(() => wholeFleet(queries(), filter, deadlineMs)),
    gpu: (gpu) =>
      service.ask(async () => {
        const { health, telemetry } = await callUnary(queries(), queries().queryGpuHealth, { gpu }, DEADLINE_MS);
        return { ...present(health, 'health'), telemetry };
      }),
    explain: (gpu) => service.ask(() => callUnary(queries(), queries().explainDecision, { gpu }, DEADLINE_MS)),
    history: (gpu, range, limit) =>
      service.ask(async () => {
        const pages = await collect(limit, async (pageToken, wanted) => {
          const request: GetGpuHistoryRequest = { gpu, ...range, limit: wanted, pageToken };
          const { runs, telemetry, events, nextPageToken } = await callUnary(
            queries(),
            queries().getGpuHistory,
            request,
            DEADLINE_MS,
          );
          return { items: entriesOf({ runs, telemetry, events }), nextPageToken };
        });
        return {
          runs: pages.flatMap(({ runs }) => runs),
          telemetry: pages.flatMap(({ telemetry }) => telemetry),
          events: pages.flatMap(({ events }) => events),
        };
      }),
    trust: (request) => service.ask(() => callUnary(trust(), trust().getTrustGraph, request, DEADLINE_MS)),
    order: (request) => service.ask(() => callUnary(orders(), orders().issueDirective, request, DEADLINE_MS)),
    pending: () => reader.ask(() => allPending(waiting())),
    approve: (directiveId, reason) =>
      service.ask(async () => {
        const answer = await callUnary(orders(), orders().approve, { directiveId, reason }, DEADLINE_MS);
        return answer.transition;
      }),
    reject: (directiveId, reason) =>
      service.ask(async () => {
        await callUnary(orders(), orders().reject, { directiveId, reason }, DEADLINE_MS);
      }),
    incidents: (active) =>
      service.ask(async () => (await callUnary(queries(), queries().listIncidents, { active }, DEADLINE_MS)).incidents),
    resolveIncident: (request) =>
      service.ask(async () => {
        const { incident } = await callUnary(orders(), orders().resolveIncident, request, DEADLINE_MS);
        return present(incident, 'the incident');
      }),
    rateLimit: () => reader.ask(() => callUnary(waiting(), waiting().getRateLimit, {}, DEADLINE_MS)),
    acceptLedgerRollback: (reason) =>
      service.ask(() => callUnary(orders(), orders().acceptLedgerRollback, { reason }, DEADLINE_MS)),
    resetRateLimit: (reason) =>
      service.ask(async () => (await callUnary(orders(), orders().resetRateLimit, { reason }, DEADLINE_MS)).forgotten),
    directives: (request, signal) => reader.follow(() => waiting().streamDirectives(request), signal),
    pause: (gpu, durationMs, reason) =>
      service.ask(() => callUnary(control(), control().pauseDevice, { gpu, durationMs, reason }, DEADLINE_MS)),
    resume: (gpu, reason) =>
      service.ask(() => callUnary(control(), control().resumeDevice, { gpu, reason }, DEADLINE_MS)),
    schedule: (node, yaml, reason) =>
      service.ask(() => callUnary(control(), control().setSchedule, { node, yaml, reason }, DEADLINE_MS)),
    close: () => {
      service.close();
      reader.close();
    },
  };
}

export function ledgerClient(endpoints: Endpoints, read: Reading): LedgerClient {
  const address = endpoints.ledger.grpc;
  const service = new Service('audit ledger', address, read);
  const audit = () => service.client(AuditServiceClient, () => connectionTo(address, endpoints));
  return {
    address,
    checkpoint: async () => {
      // Notes are made of lines, and are checked, not shown.
      let notes: Pick<GetCheckpointResponse, 'checkpoint' | 'rotations'> = { checkpoint: '', rotations: [] };
      const answer = await service.ask(async () => {
        const found = await callUnary(audit(), audit().getCheckpoint, {}, DEADLINE_MS);
        notes = { checkpoint: found.checkpoint, rotations: found.rotations };
        return found;
      });
      return { ...answer, ...notes };
    },
    consistencyProof: async (oldSize, newSize) => {
      const request = { oldSize: BigInt(oldSize), newSize: BigInt(newSize) };
      return (await service.ask(() => callUnary(audit(), audit().getConsistencyProof, request, DEADLINE_MS))).hashes;
    },
    entries: (filter, limit) =>
      service.ask(() =>
        collect(limit, async (pageToken, wanted) => {
          const request = { ...filter, limit: wanted, pageToken, oldestFirst: false };
          const page = await callUnary(audit(), audit().queryAuditTrail, request, DEADLINE_MS);
          return { items: page.entries, nextPageToken: page.nextPageToken };
        }),
      ),
    close: () => service.close(),
  };
}

/** One history for each entry, so that entries can be counted whatever they are. */
function entriesOf({ runs, telemetry, events }: History): History[] {
  const nothing = { runs: [], telemetry: [], events: [] };
  return [
    ...runs.map((run) => ({ ...nothing, runs: [run] })),
    ...telemetry.map((sample) => ({ ...nothing, telemetry: [sample] })),
    ...events.map((event) => ({ ...nothing, events: [event] })),
  ];
}

function allPending(client: QuarantineServiceClient): Promise<PendingDirective[]> {
  return collect(MAX_PENDING, async (pageToken, limit) => {
    const page = await callUnary(client, client.listPending, { limit, pageToken }, DEADLINE_MS);
    return { items: page.pending, nextPageToken: page.nextPageToken };
  });
}

async function wholeFleet(client: CorrelationServiceClient, filter: FleetFilter, deadlineMs: number): Promise<Fleet> {
  let summary: Fleet['summary'];
  const gpus = await collect<GpuHealth>(MAX_GPUS, async (pageToken, limit) => {
    const request = { nodePrefix: '', model: '', state: GpuState.UNSPECIFIED, ...filter, limit, pageToken };
    const page = await callUnary(client, client.queryFleetHealth, request, deadlineMs);
    summary ??= page.summary;
    return { items: page.gpus, nextPageToken: page.nextPageToken };
  });
  return { gpus, summary };
}

/** Clients of one service, each made when it is first used, and its failures in words. */
class Service {
  readonly #name: string;
  readonly #address: string;
  readonly #read: Reading;
  readonly #clients = new Map<unknown, Client>();

  constructor(name: string, address: string, read: Reading) {
    this.#name = name;
    this.#address = address;
    this.#read = read;
  }

  client<T extends Client>(clientClass: ClientClass<T>, to: () => ClientConnection): T {
    const known = this.#clients.get(clientClass) as T | undefined;
    if (known !== undefined) return known;
    const made = createClient(clientClass, to());
    this.#clients.set(clientClass, made);
    return made;
  }

  async ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return this.#read(await question());
    } catch (error) {
      throw explainCall(error, this.#name, this.#address);
    }
  }

  /** Messages of a stream, until it ends or the signal ends it. */
  async *follow<T>(open: () => ClientReadableStream<T>, signal: AbortSignal): AsyncGenerator<T> {
    const stream = open();
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel);
    try {
      for await (const message of stream) yield this.#read(message as T);
    } catch (error) {
      if (!signal.aborted) throw explainCall(error, this.#name, this.#address);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }
}

function present<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new SentinelError({ code: 'INTERNAL', message: `the engine answered without ${what}` });
}

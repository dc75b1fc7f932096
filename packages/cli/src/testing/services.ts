import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import {
  type CorrelationServiceServer,
  CorrelationServiceService,
  type GetGpuHistoryResponse,
  type GpuHealth,
} from '@sentinel/contracts/sentinel/v1/health.js';
import type { Incident } from '@sentinel/contracts/sentinel/v1/incidents.js';
import {
  type PauseDeviceRequest,
  type ProbeControlServiceServer,
  ProbeControlServiceService,
  type ResumeDeviceRequest,
  type SetScheduleRequest,
} from '@sentinel/contracts/sentinel/v1/probe_control.js';
import {
  type AcceptLedgerRollbackRequest,
  IssueDirectiveRequest_Action as Action,
  type ApproveRequest,
  type IssueDirectiveRequest,
  type PendingDirective,
  type QuarantineServiceServer,
  QuarantineServiceService,
  type RejectRequest,
  type ResetRateLimitRequest,
  ResolveIncidentRequest_Resolution as Resolution,
  type ResolveIncidentRequest,
  type StreamDirectivesResponse,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import {
  type GetTrustGraphRequest,
  type GetTrustGraphResponse,
  type TrustServiceServer,
  TrustServiceService,
} from '@sentinel/contracts/sentinel/v1/trust.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import {
  explainSample,
  gpuSample,
  NOW_US,
  pendingSample,
  runSample,
  summarySample,
  telemetrySample,
  transitionSample,
} from './samples.js';

export const TOKEN = 'a token of tests';
const PAGE = 2;

/** An engine that speaks the real contract and knows the devices it is given. */
export class FakeEngine implements AsyncDisposable {
  gpus: readonly GpuHealth[];
  readonly orders: IssueDirectiveRequest[] = [];
  pending: readonly PendingDirective[] = [];
  /** Approvals and rejections: verb, id, reason. */
  readonly answers: string[] = [];
  /** What a device's history has in a range of time. */
  sensors: GetGpuHistoryResponse = { runs: [], telemetry: [], events: [], nextPageToken: '' };
  trust: GetTrustGraphResponse = {
    atUs: 0n,
    devices: [],
    edges: [],
    canaries: [],
    edgeCount: 0,
    edgesForgotten: 0n,
    brokenGoldens: [],
  };
  readonly trustQuestions: GetTrustGraphRequest[] = [];
  incidents: readonly Incident[] = [];
  /** What each stream of directives sends before it ends; the last stays open. */
  readonly told: NonNullable<StreamDirectivesResponse['message']>[][] = [];
  /** Where each of them was asked to begin. */
  readonly cursors: (bigint | null)[] = [];
  /** Orders about probing. */
  readonly controls: object[] = [];
  /** Thrown by every answer while set. */
  failure: SentinelError | null = null;
  address = '';
  readonly #server = new Server();

  constructor(gpus: readonly GpuHealth[] = [gpuSample()]) {
    this.gpus = gpus;
  }

  async start(credentials = ServerCredentials.createInsecure()): Promise<this> {
    this.#server.addService(CorrelationServiceService, this.#queries());
    this.#server.addService(QuarantineServiceService, this.#quarantine());
    this.#server.addService(TrustServiceService, this.#trust());
    this.#server.addService(ProbeControlServiceService, this.#probeControl());
    this.address = await new Promise((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', credentials, (error, port) =>
        error === null ? resolve(`127.0.0.1:${port}`) : reject(error),
      );
    });
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }

  #queries(): CorrelationServiceServer {
    return {
      queryGpuHealth: this.#answer(({ gpu }) => ({ health: this.#find(gpu), telemetry: telemetrySample() })),
      queryFleetHealth: this.#answer(({ pageToken }) => {
        const from = Number(pageToken);
        const more = from + PAGE < this.gpus.length;
        return {
          gpus: this.gpus.slice(from, from + PAGE),
          nextPageToken: more ? String(from + PAGE) : '',
          summary: summarySample(),
        };
      }),
      getGpuHistory: this.#answer(({ pageToken, limit, endUs }) =>
        endUs > 0n
          ? this.sensors
          : {
              runs: Array.from({ length: Math.min(limit, PAGE) }, (_, i) =>
                runSample({ index: Number(pageToken) + i }),
              ),
              telemetry: [],
              events: [],
              nextPageToken: String(Number(pageToken) + PAGE),
            },
      ),
      explainDecision: this.#answer(({ gpu }) => ({ ...explainSample(), health: this.#find(gpu) })),
      listIncidents: this.#answer(({ active }) => ({
        incidents: this.incidents.filter(({ endedUs }) => !active || endedUs === 0n),
      })),
    };
  }

  #trust(): TrustServiceServer {
    return {
      getTrustGraph: this.#answer((request: GetTrustGraphRequest) => {
        this.trustQuestions.push(request);
        return this.trust;
      }),
    };
  }

  #quarantine(): QuarantineServiceServer {
    return {
      issueDirective: this.#answer((request: IssueDirectiveRequest, token) => {
        if (token !== `Bearer ${TOKEN}`) throw new SentinelError({ code: 'UNAUTHENTICATED', message: 'no such token' });
        this.orders.push(request);
        const { directiveId, requiresApproval } = request;
        if (requiresApproval) return { transition: undefined, pending: pendingSample({ directiveId }) };
        if (request.action === Action.SCHEDULE_DEEP_TEST) return { transition: undefined, pending: undefined };
        return { transition: transitionSample({ actor: 'operator token' }), pending: undefined };
      }),
      listPending: this.#answer(({ pageToken }) => {
        const from = Number(pageToken);
        const more = from + PAGE < this.pending.length;
        return { pending: this.pending.slice(from, from + PAGE), nextPageToken: more ? String(from + PAGE) : '' };
      }),
      approve: this.#answer((request: ApproveRequest, token) => {
        this.#takeAnswer('approve', request, token);
        return { transition: transitionSample({ actor: 'operator token' }) };
      }),
      reject: this.#answer((request: RejectRequest, token) => {
        this.#takeAnswer('reject', request, token);
        return {};
      }),
      resolveIncident: this.#answer(({ incident: id, resolution, reason }: ResolveIncidentRequest, token) => {
        this.#takeAnswer(resolution === Resolution.CONFIRM ? 'confirm' : 'release', { directiveId: id, reason }, token);
        return { incident: this.incidents.find((incident) => incident.id === id) };
      }),
      getRateLimit: this.#answer(() => ({ usedHour: 2, limitHour: 2, usedDay: 3, limitDay: 4, freeUs: NOW_US })),
      resetRateLimit: this.#answer(({ reason }: ResetRateLimitRequest, token) => {
        this.#takeAnswer('reset', { directiveId: 'limit', reason }, token);
        return { forgotten: 3 };
      }),
      acceptLedgerRollback: this.#answer(({ reason }: AcceptLedgerRollbackRequest, token) => {
        this.#takeAnswer('accept-rollback', { directiveId: 'ledger', reason }, token);
        return {
          knownEntries: 90n,
          entries: 61n,
          lostFrom: 60n,
          sentAgain: 1,
          notKeptUntil: 62n,
          lostDecisions: [{ gpu: 'GPU-1', seq: 61n, timeUs: NOW_US }],
          lostDecisionsTotal: 1,
        };
      }),
      streamDirectives: (call) => {
        this.cursors.push(call.request.after?.commitSeq ?? null);
        for (const message of this.told.shift() ?? []) call.write({ message });
        if (this.told.length > 0) call.end();
      },
    };
  }

  #takeAnswer(verb: string, { directiveId, reason }: ApproveRequest, token: string): void {
    if (token !== `Bearer ${TOKEN}`) throw new SentinelError({ code: 'UNAUTHENTICATED', message: 'no such token' });
    this.answers.push(`${verb} ${directiveId} ${reason}`);
  }

  #probeControl(): ProbeControlServiceServer {
    const take = (request: object, token: string) => {
      if (token !== `Bearer ${TOKEN}`) throw new SentinelError({ code: 'UNAUTHENTICATED', message: 'no such token' });
      this.controls.push(request);
    };
    return {
      pauseDevice: this.#answer((request: PauseDeviceRequest, token) => {
        take(request, token);
        return { gpu: this.#find(request.gpu).gpu, untilUs: request.durationMs * 1000n };
      }),
      resumeDevice: this.#answer((request: ResumeDeviceRequest, token) => {
        take(request, token);
        return { gpu: this.#find(request.gpu).gpu };
      }),
      setSchedule: this.#answer((request: SetScheduleRequest, token) => {
        take(request, token);
        return { version: request.yaml === '' ? '' : '7' };
      }),
    };
  }

  #find(gpu: string): GpuHealth {
    const found = this.gpus.find((each) => each.gpu.startsWith(gpu));
    if (found !== undefined) return found;
    throw new SentinelError({ code: 'NOT_FOUND', message: `no device ${gpu} is registered`, hint: 'List them.' });
  }

  #answer<Request, Response>(handle: (request: Request, token: string) => Response) {
    return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
      try {
        if (this.failure !== null) throw this.failure;
        callback(null, handle(call.request, String(call.metadata.get('authorization')[0] ?? '')));
      } catch (error) {
        callback(SentinelError.from(error).toServiceError());
      }
    };
  }
}

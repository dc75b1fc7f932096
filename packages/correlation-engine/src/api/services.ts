import type { handleBidiStreamingCall, handleServerStreamingCall } from '@grpc/grpc-js';
import { AnomalyServiceService, type StreamAnomalyEventsResponse } from '@sentinel/contracts/sentinel/v1/anomaly.js';
import type { AgentControlResponse } from '@sentinel/contracts/sentinel/v1/control.js';
import { CorrelationServiceService } from '@sentinel/contracts/sentinel/v1/health.js';
import { ProbeServiceService, type StreamProbeResultsResponse } from '@sentinel/contracts/sentinel/v1/probe.js';
import { ProbeControlServiceService } from '@sentinel/contracts/sentinel/v1/probe_control.js';
import {
  QuarantineServiceService,
  type StreamDirectivesRequest,
  type StreamDirectivesResponse,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { TrustServiceService } from '@sentinel/contracts/sentinel/v1/trust.js';
import type { Identity } from '@sentinel/service-kit/auth';
import type { SentinelError } from '@sentinel/service-kit/errors';
import { type AllowedRoles, failStream, type ServiceEntry, unary } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import type { Api } from './api.js';

const READERS: AllowedRoles = 'anyone';
export const OPERATORS = ['operator', 'admin'] as const;

/** What answers calls: an engine that decides. */
export interface Serving {
  readonly api: Api;
  readonly streamProbeResults: handleBidiStreamingCall<Buffer, StreamProbeResultsResponse>;
  readonly streamAnomalyEvents: handleBidiStreamingCall<Buffer, StreamAnomalyEventsResponse>;
  readonly agentControl: handleBidiStreamingCall<Buffer, AgentControlResponse>;
  readonly streamDirectives: handleServerStreamingCall<StreamDirectivesRequest, StreamDirectivesResponse>;
}

export interface ServiceParts {
  /** null = this engine does not decide now. */
  readonly serving: () => Serving | null;
  /** Told to callers while it does not. */
  readonly absent: () => SentinelError;
  readonly mutualTls: boolean;
  readonly log: Logger;
}

type AnyCall = Parameters<typeof failStream>[0];
type StreamOf = <Call extends AnyCall>(handler: (from: Serving) => (call: Call) => void) => (call: Call) => void;

const AS_BYTES = { requestDeserialize: (bytes: Buffer): Buffer => bytes };

/** Every service of the engine's port. */
export function engineServices({ serving, absent, mutualTls, log }: ServiceParts): ServiceEntry[] {
  const answer = <Name extends keyof Api>(name: Name) =>
    unary((request: Parameters<Api[Name]>[0], caller: Identity) => {
      const now = serving();
      if (now === null) throw absent();
      return (now.api[name] as (request: unknown, caller: Identity) => ReturnType<Api[Name]>)(request, caller);
    }, log);
  const stream =
    <Call extends AnyCall>(handler: (from: Serving) => (call: Call) => void) =>
    (call: Call): void => {
      const now = serving();
      if (now === null) failStream(call, absent(), log);
      else handler(now)(call);
    };
  return [
    probeService(stream, mutualTls),
    anomalyService(stream, mutualTls),
    {
      definition: CorrelationServiceService,
      implementation: {
        queryGpuHealth: answer('queryGpuHealth'),
        queryFleetHealth: answer('queryFleetHealth'),
        getGpuHistory: answer('getGpuHistory'),
        explainDecision: answer('explainDecision'),
        listIncidents: answer('listIncidents'),
      },
      roles: {
        QueryGpuHealth: READERS,
        QueryFleetHealth: READERS,
        GetGpuHistory: READERS,
        ExplainDecision: READERS,
        ListIncidents: READERS,
      },
    },
    {
      definition: QuarantineServiceService,
      implementation: {
        issueDirective: answer('issueDirective'),
        listPending: answer('listPending'),
        approve: answer('approve'),
        reject: answer('reject'),
        resolveIncident: answer('resolveIncident'),
        getRateLimit: answer('getRateLimit'),
        resetRateLimit: answer('resetRateLimit'),
        acceptLedgerRollback: answer('acceptLedgerRollback'),
        streamDirectives: stream((from) => from.streamDirectives),
      },
      roles: {
        IssueDirective: OPERATORS,
        ListPending: READERS,
        Approve: OPERATORS,
        Reject: OPERATORS,
        ResolveIncident: OPERATORS,
        GetRateLimit: READERS,
        ResetRateLimit: OPERATORS,
        AcceptLedgerRollback: OPERATORS,
        StreamDirectives: READERS,
      },
    },
    {
      definition: ProbeControlServiceService,
      implementation: {
        pauseDevice: answer('pauseDevice'),
        resumeDevice: answer('resumeDevice'),
        setSchedule: answer('setSchedule'),
      },
      roles: { PauseDevice: OPERATORS, ResumeDevice: OPERATORS, SetSchedule: OPERATORS },
    },
    {
      definition: TrustServiceService,
      implementation: { getTrustGraph: answer('getTrustGraph') },
      roles: { GetTrustGraph: READERS },
    },
  ];
}

/** Monitors have no MAC: their certificate proves them, and where callers have none the token of the installation. */
function anomalyService(stream: StreamOf, mutualTls: boolean): ServiceEntry {
  return {
    definition: { streamAnomalyEvents: { ...AnomalyServiceService.streamAnomalyEvents, ...AS_BYTES } },
    implementation: { streamAnomalyEvents: stream((from) => from.streamAnomalyEvents) },
    roles: { StreamAnomalyEvents: mutualTls ? ['monitor'] : ['service'] },
  };
}

/** Agents prove themselves by their MAC; with mutual TLS they need their certificate too. */
function probeService(stream: StreamOf, mutualTls: boolean): ServiceEntry {
  const agents: AllowedRoles = mutualTls ? ['agent'] : 'anyone';
  return {
    definition: {
      streamProbeResults: { ...ProbeServiceService.streamProbeResults, ...AS_BYTES },
      agentControl: { ...ProbeServiceService.agentControl, ...AS_BYTES },
    },
    implementation: {
      streamProbeResults: stream((from) => from.streamProbeResults),
      agentControl: stream((from) => from.agentControl),
    },
    roles: { StreamProbeResults: agents, AgentControl: agents },
  };
}

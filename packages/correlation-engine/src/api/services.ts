import { CorrelationServiceService } from '@sentinel/contracts/sentinel/v1/health.js';
import { ProbeServiceService } from '@sentinel/contracts/sentinel/v1/probe.js';
import { ProbeControlServiceService } from '@sentinel/contracts/sentinel/v1/probe_control.js';
import { QuarantineServiceService } from '@sentinel/contracts/sentinel/v1/quarantine.js';
import { TrustServiceService } from '@sentinel/contracts/sentinel/v1/trust.js';
import { type AllowedRoles, type ServiceEntry, unary } from '@sentinel/service-kit/grpc-server';
import type { Logger } from '@sentinel/service-kit/logging';
import { agentControl, type ControlParts } from '../control/agent-control.js';
import type { DirectiveStreams } from '../directive-log/stream-directives.js';
import { type ResultsParts, streamProbeResults } from '../ingest/stream-results.js';
import type { Api } from './api.js';

const READERS: AllowedRoles = 'anyone';
export const OPERATORS = ['operator', 'admin'] as const;

/** Agents prove themselves by their MAC; with mutual TLS they need their certificate too. */
export function probeService(parts: ControlParts & ResultsParts, mutualTls: boolean): ServiceEntry {
  const agents: AllowedRoles = mutualTls ? ['agent'] : 'anyone';
  const asBytes = { requestDeserialize: (bytes: Buffer): Buffer => bytes };
  return {
    definition: {
      streamProbeResults: { ...ProbeServiceService.streamProbeResults, ...asBytes },
      agentControl: { ...ProbeServiceService.agentControl, ...asBytes },
    },
    implementation: { streamProbeResults: streamProbeResults(parts), agentControl: agentControl(parts) },
    roles: { StreamProbeResults: agents, AgentControl: agents },
  };
}

export function correlationService(api: Api, log: Logger): ServiceEntry {
  return {
    definition: CorrelationServiceService,
    implementation: {
      queryGpuHealth: unary(api.queryGpuHealth, log),
      queryFleetHealth: unary(api.queryFleetHealth, log),
      getGpuHistory: unary(api.getGpuHistory, log),
      explainDecision: unary(api.explainDecision, log),
      listIncidents: unary(api.listIncidents, log),
    },
    roles: {
      QueryGpuHealth: READERS,
      QueryFleetHealth: READERS,
      GetGpuHistory: READERS,
      ExplainDecision: READERS,
      ListIncidents: READERS,
    },
  };
}

export function quarantineService(api: Api, directives: DirectiveStreams, log: Logger): ServiceEntry {
  return {
    definition: QuarantineServiceService,
    implementation: {
      issueDirective: unary(api.issueDirective, log),
      listPending: unary(api.listPending, log),
      approve: unary(api.approve, log),
      reject: unary(api.reject, log),
      resolveIncident: unary(api.resolveIncident, log),
      getRateLimit: unary(api.getRateLimit, log),
      resetRateLimit: unary(api.resetRateLimit, log),
      streamDirectives: directives.handle,
    },
    roles: {
      IssueDirective: OPERATORS,
      ListPending: READERS,
      Approve: OPERATORS,
      Reject: OPERATORS,
      ResolveIncident: OPERATORS,
      GetRateLimit: READERS,
      ResetRateLimit: OPERATORS,
      StreamDirectives: READERS,
    },
  };
}

export function trustService(api: Api, log: Logger): ServiceEntry {
  return {
    definition: TrustServiceService,
    implementation: { getTrustGraph: unary(api.getTrustGraph, log) },
    roles: { GetTrustGraph: READERS },
  };
}

export function probeControlService(api: Api, log: Logger): ServiceEntry {
  return {
    definition: ProbeControlServiceService,
    implementation: {
      pauseDevice: unary(api.pauseDevice, log),
      resumeDevice: unary(api.resumeDevice, log),
      setSchedule: unary(api.setSchedule, log),
    },
    roles: { PauseDevice: OPERATORS, ResumeDevice: OPERATORS, SetSchedule: OPERATORS },
  };
}

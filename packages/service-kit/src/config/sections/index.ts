import type { AnySection, Values } from '../schema.js';
import { alerting } from './alerting.js';
import { auditLedger } from './audit-ledger.js';
import { correlationEngine } from './correlation-engine.js';
import { inferenceMonitor } from './inference-monitor.js';
import { logging } from './logging.js';
import { probeAgent } from './probe-agent.js';
import { sidecarInjector } from './sidecar-injector.js';
import { trainingMonitor } from './training-monitor.js';

/** Every section of sentinel.yaml, in the order of the default file. */
export const sections = {
  probe_agent: probeAgent,
  inference_monitor: inferenceMonitor,
  training_monitor: trainingMonitor,
  correlation_engine: correlationEngine,
  audit_ledger: auditLedger,
  sidecar_injector: sidecarInjector,
  alerting,
  logging,
} as const;

export type SectionName = keyof typeof sections;

export type SectionValues<S extends SectionName> = Values<(typeof sections)[S]['children']>;

export type ProbeAgentConfig = SectionValues<'probe_agent'>;
export type CorrelationEngineConfig = SectionValues<'correlation_engine'>;
export type AuditLedgerConfig = SectionValues<'audit_ledger'>;
export type InferenceMonitorConfig = SectionValues<'inference_monitor'>;
export type TrainingMonitorConfig = SectionValues<'training_monitor'>;
export type SidecarInjectorConfig = SectionValues<'sidecar_injector'>;
export type AlertingConfig = SectionValues<'alerting'>;
export type LoggingConfig = SectionValues<'logging'>;

export const sectionNames = Object.keys(sections) as readonly SectionName[];

export function sectionOf(name: SectionName): AnySection {
  return sections[name];
}

export type ServiceName = 'ledger' | 'engine' | 'agent';

/** Section of each service in the configuration. */
export const SECTIONS = {
  ledger: 'audit_ledger',
  engine: 'correlation_engine',
  agent: 'probe_agent',
} as const satisfies Record<ServiceName, string>;

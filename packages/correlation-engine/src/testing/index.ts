// What tests of the whole product use of this package.

export { testCluster } from '@sentinel/service-kit/testing/cluster-settings';
export type { RunSpec } from '../evidence/testing/batches.js';
export { TestAgent } from './agent.js';
export { FLEET_KEY, OPERATOR_TOKEN, SERVICE_TOKEN } from './engine.js';
export { historyLogOf } from './history-log.js';
export { TestLedger } from './ledger.js';
export { lostRound, softEvent, TestMonitor } from './monitor.js';

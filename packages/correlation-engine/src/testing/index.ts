// What tests of the whole product use of this package.

export { GOLDEN, type RunSpec, SMS } from '../evidence/testing/batches.js';
export type { HistoryRecord } from '../store/history/history-record.js';
export type { HistoryLog } from '../store/history/history-store.js';
export { historyLog } from '../store/history/open.js';
export { type AgentOptions, TestAgent } from './agent.js';
export { testCluster } from './cluster-settings.js';
export { FLEET_KEY, OPERATOR_TOKEN, SERVICE_TOKEN } from './engine.js';
export { TestLedger } from './ledger.js';

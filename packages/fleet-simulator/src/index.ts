export { replicates } from './figures/replicates.js';
export { htmlReport } from './report/html.js';
export type { Outcome } from './report/outcome.js';
export { type Summary, summarize } from './report/summary.js';
export { textReport } from './report/text.js';
export { scenarioFile, shippedScenarios } from './scenario/files.js';
export { loadScenario, parseScenario } from './scenario/read.js';
export type { Scenario } from './scenario/scenario.js';
export { engineConfigOf, simulate } from './simulate.js';

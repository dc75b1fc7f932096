export type { Outcome, Return, Struck } from './report/outcome.js';
export { loadScenario, parseScenario } from './scenario/read.js';
export type { Fault, Scenario } from './scenario/scenario.js';
export { engineConfigOf, simulate } from './simulate.js';

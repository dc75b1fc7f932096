/** Configuration: one file, an overlay, the environment and `--override` in; one typed frozen object out. */
export type { CommandSpecs, FlagSpec, FlagSpecs, FlagValues } from './command-line.js';
export { renderDefaultFile } from './default-file.js';
export { FormatError } from './formats.js';
export {
  type GivenInferenceThresholds,
  type InferenceThresholds,
  loadInferenceThresholds,
} from './inference-thresholds.js';
export {
  type Change,
  DEFAULT_CONFIG_FILE,
  type LoadedConfig,
  type LoadOptions,
  loadConfig,
  type Reload,
} from './load.js';
export { loadConfigForMain, type Streams } from './main-entry.js';
export { expandCpuList, folderOf, type HostPort, isLoopback, splitHostPort } from './places.js';
export {
  Answer,
  ConfigError,
  type ConfigProblem,
  describeOrigin,
  describeProblem,
  type Origin,
  UsageError,
} from './problems.js';
export {
  loadSchedule,
  PROBE_TYPES,
  type ProbeType,
  parseSchedule,
  type Schedule,
  type ScheduleEntry,
} from './schedule.js';
export type { Environment } from './schema.js';
export type {
  AlertingConfig,
  AuditLedgerConfig,
  CorrelationEngineConfig,
  InferenceMonitorConfig,
  LoggingConfig,
  ProbeAgentConfig,
  SectionName,
  SectionValues,
  SidecarInjectorConfig,
  TrainingMonitorConfig,
} from './sections/index.js';
export { variableFor } from './text-sources.js';
export { DEFAULT_TOLERANCES, loadTolerances, type ProbeTolerances } from './tolerances.js';
export {
  type GivenTrainingThresholds,
  loadTrainingThresholds,
  type TrainingThresholds,
} from './training-thresholds.js';

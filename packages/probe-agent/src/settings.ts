import { readFileSync } from 'node:fs';
import {
  ConfigError,
  expandCpuList,
  type LoadedConfig,
  loadSchedule,
  loadTolerances,
  type ProbeAgentConfig,
  type ProbeTolerances,
  type Schedule,
} from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type Partition, partitions } from './identity/devices.js';

/** The configuration together with what it refers to on this machine, checked. */
export interface Settings {
  readonly config: ProbeAgentConfig;
  readonly schedule: Schedule;
  /** Cap on scheduled probes: the schedule's own, else the global one. */
  readonly overheadBudgetPct: number;
  readonly partitions: readonly Partition[];
  readonly tolerances: ProbeTolerances;
  /** The error for a key that asks for what this machine does not have. */
  readonly refuse: (key: string, reason: string) => ConfigError;
}

/** @throws ConfigError (exit status 78) */
export function settingsOf(loaded: Pick<LoadedConfig<'probe_agent'>, 'config' | 'origin'>): Settings {
  const { config } = loaded;
  const refuse = (key: string, reason: string) =>
    new ConfigError([{ origin: loaded.origin(key), key: `probe_agent.${key}`, reason }]);
  const schedule = loadSchedule(config.schedule_file);
  const tolerances = loadTolerances(config.tolerances_file);
  const overheadBudgetPct = schedule.overheadBudgetPct ?? config.overhead_budget_pct;
  try {
    const parts = partitions(config.cpu.devices, allowedCpus());
    return { config, schedule, overheadBudgetPct, partitions: parts, tolerances, refuse };
  } catch (error) {
    throw refuse('cpu.devices', SentinelError.from(error).sentence);
  }
}

/** Logical CPUs that this process, and so its child, may use. */
function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return list === undefined ? [] : expandCpuList(list);
}

/** The same under another schedule; null = that of the configuration. */
export function followed(settings: Settings, schedule: Schedule | null): Settings {
  if (schedule === null) return settings;
  const overheadBudgetPct = schedule.overheadBudgetPct ?? settings.config.overhead_budget_pct;
  return { ...settings, schedule, overheadBudgetPct };
}

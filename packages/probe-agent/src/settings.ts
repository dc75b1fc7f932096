import { readFileSync } from 'node:fs';
import {
  ConfigError,
  expandCpuList,
  type LoadedConfig,
  loadSchedule,
  type ProbeAgentConfig,
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
}

/** @throws ConfigError (exit status 78) */
export function settingsOf(loaded: Pick<LoadedConfig<'probe_agent'>, 'config' | 'origin'>): Settings {
  const { config } = loaded;
  const refuse = (key: string, reason: string) =>
    new ConfigError([{ origin: loaded.origin(key), key: `probe_agent.${key}`, reason }]);
  if (config.backend === 'cuda') throw refuse('backend', 'this version tests CPUs alone: set it to cpu or auto');
  const schedule = loadSchedule(config.schedule_file);
  const overheadBudgetPct = schedule.overheadBudgetPct ?? config.overhead_budget_pct;
  try {
    return { config, schedule, overheadBudgetPct, partitions: partitions(config.cpu.devices, allowedCpus()) };
  } catch (error) {
    throw refuse('cpu.devices', SentinelError.from(error).sentence);
  }
}

/** Logical CPUs that this process, and so its child, may use. */
function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return list === undefined ? [] : expandCpuList(list);
}

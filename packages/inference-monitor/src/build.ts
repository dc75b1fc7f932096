import { connectToEngine, listenForMetrics } from '@sentinel/monitor-kit/monitor-shell';
import { type Clock, systemClock } from '@sentinel/service-kit/clock';
import type { LoadedConfig } from '@sentinel/service-kit/config';
import { type ReadyInfo, type Service, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { reloadConfig } from '@sentinel/service-kit/reload';
import { beginFront } from './front/begin-front.js';
import { MonitorMetrics } from './observing/metrics.js';

/** As it signs its anomalies. */
const MONITOR = 'inference-monitor';

export type Loaded = LoadedConfig<'inference_monitor'>;

export interface MonitorParts {
  readonly loaded: Loaded;
  readonly log: Logger;
  readonly fatal: (error: unknown) => void;
  readonly clock?: Clock;
}

/** Composition root. */
export function buildMonitor({ loaded, log, fatal, clock = systemClock }: MonitorParts): Service {
  const stack = new StopStack();
  const state = { loaded };
  const config = () => state.loaded.config;
  return {
    start: async (): Promise<ReadyInfo> => {
      const metrics = new MonitorMetrics();
      const shell = { monitor: MONITOR, config, counts: metrics, stack, log, fatal, clock };
      await connectToEngine(shell);
      const listening = await listenForMetrics(shell, metrics.registry);
      const front = await beginFront(shell);
      return {
        ...(listening === null ? {} : { metrics: listening }),
        ...(front === null ? {} : { http: front.address }),
      };
    },
    stop: () => stack.stop(),
    reload: () => {
      state.loaded = reloadConfig(state.loaded, log);
    },
  };
}

import { freeSocket } from '@sentinel/monitor-kit/ingest/socket';
import type { SettableThresholds } from '@sentinel/monitor-kit/thresholds';
import { type Clock, systemClock } from '@sentinel/service-kit/clock';
import type { InferenceMonitorConfig, InferenceThresholds, LoadedConfig } from '@sentinel/service-kit/config';
import { SentinelError } from '@sentinel/service-kit/errors';
import { type Service, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { reloadConfig } from '@sentinel/service-kit/reload';
import { VERSION } from '@sentinel/service-kit/version';
import { type Analysis, beginAnalysis, SOCKET_KEY } from './analysis.js';
import { beginFront } from './front/begin-front.js';
import { frontSettings } from './front/settings.js';
import type { FrontSupervisor } from './front/supervise.js';
import { KeptUp } from './kept-up.js';
import { thresholdsOf, withUsablePlaces } from './settings.js';

export type Loaded = LoadedConfig<'inference_monitor'>;

export interface MonitorParts {
  readonly loaded: Loaded;
  readonly thresholds: SettableThresholds<InferenceThresholds>;
  readonly log: Logger;
  readonly fatal: (error: unknown) => void;
  readonly clock?: Clock;
}

interface State {
  loaded: Loaded;
  /** Of what was loaded, with places that can be written. */
  config: InferenceMonitorConfig;
  front: FrontSupervisor | null;
}

/** Composition root. Requests pass whatever becomes of the analysis of them. */
export function buildMonitor({ loaded, thresholds, log, fatal, clock = systemClock }: MonitorParts): Service {
  const stack = new StopStack();
  const state: State = { loaded, config: withUsablePlaces(loaded.config, log), front: null };
  const config = () => state.config;
  const analysis = new KeptUp<Analysis>({
    begin: (part, lost) =>
      beginAnalysis({
        ...{ config, limits: thresholds.current, front: () => state.front, insecure: state.loaded.insecure },
        ...{ stack: part, log, fatal: lost, clock },
      }),
    onDown: (error, retryMs) => {
      const { data_dir, socket_path } = config();
      const sentence = `requests pass, and nothing is found in them: ${SentinelError.from(error).sentence}`;
      log.error({ err: error, data_dir, socket_path, retryMs }, sentence);
    },
  });
  thresholds.onChange((changed) => analysis.current?.retune(changed));
  stack.push('analysis', () => analysis.stop());
  return {
    start: async () => {
      await refuseSecond(config());
      const passes = typeof frontSettings(config(), VERSION) !== 'string';
      await (passes ? analysis.keepUp() : analysis.once(fatal));
      state.front = await beginFront({ config, stack, log });
      const { front } = state;
      return { ...analysis.current?.ready, ...(front === null ? {} : { http: front.address }) };
    },
    stop: () => stack.stop(),
    reload: () => {
      let changed = false;
      const next = reloadConfig(state.loaded, log, ({ config: read }) => {
        changed = thresholds.set(thresholdsOf(read));
      });
      const { data_dir, socket_path } = state.config;
      state.loaded = next;
      state.config = { ...next.config, data_dir, socket_path };
      analysis.current?.resample();
      if (changed) log.info({ file: next.config.thresholds_file }, 'limits changed');
    },
  };
}

/** A second monitor would take the front of the first. @throws SentinelError where there is one */
async function refuseSecond({ socket_path }: InferenceMonitorConfig): Promise<void> {
  try {
    await freeSocket(socket_path, SOCKET_KEY);
  } catch (error) {
    if (error instanceof SentinelError) throw error;
    // A folder that cannot be made is no other monitor.
  }
}

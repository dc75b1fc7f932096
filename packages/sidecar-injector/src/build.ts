import type { LoadedConfig, SidecarInjectorConfig } from '@sentinel/service-kit/config';
import { openHttpPort } from '@sentinel/service-kit/http-port';
import { type ReadyInfo, type Service, StopStack } from '@sentinel/service-kit/lifecycle';
import type { Logger } from '@sentinel/service-kit/logging';
import { serveMetrics } from '@sentinel/service-kit/metrics';
import { reloadConfig } from '@sentinel/service-kit/reload';
import { injectionFor } from './injection/inject.js';
import type { SidecarSettings } from './injection/sidecar.js';
import { InjectorMetrics } from './observing/metrics.js';
import { reviewListener } from './review/listener.js';

const SECTION = 'sidecar_injector';

export type Loaded = LoadedConfig<typeof SECTION>;

/** Composition root. */
export function buildInjector({ loaded, log }: { readonly loaded: Loaded; readonly log: Logger }): Service {
  const stack = new StopStack();
  const state = { loaded };
  const config = () => state.loaded.config;
  return {
    start: async (): Promise<ReadyInfo> => {
      const { listen_address: address, tls, metrics: observed } = config();
      const metrics = new InjectorMetrics();
      const port = await openHttpPort({
        address,
        addressKey: `${SECTION}.listen_address`,
        tls: tls.enabled ? { files: filesOf(tls), keyPrefix: `${SECTION}.tls`, mutual: false } : null,
        listener: reviewListener({
          inject: (pod) => injectionFor(pod, settingsOf(config())),
          onOutcome: (outcome) => metrics.reviewed(outcome),
          log,
        }),
        log,
      });
      stack.push('port', () => port.close());
      log.info({ address: port.address, tls: tls.enabled }, 'looking at pods');
      if (!observed.enabled) return { http: port.address };
      const addressKey = `${SECTION}.metrics.listen_address`;
      const { registry } = metrics;
      const server = await serveMetrics({
        registry,
        address: observed.listen_address,
        addressKey,
        log,
        required: false,
      });
      stack.push('metrics', () => server.close());
      return { http: port.address, ...(server.address === null ? {} : { metrics: server.address }) };
    },
    stop: () => stack.stop(),
    reload: () => {
      state.loaded = reloadConfig(state.loaded, log);
    },
  };
}

function filesOf(tls: SidecarInjectorConfig['tls']) {
  return { certFile: tls.cert_file, keyFile: tls.key_file, caFile: tls.ca_file };
}

function settingsOf({ sidecar }: SidecarInjectorConfig): SidecarSettings {
  return {
    image: sidecar.image,
    engineEndpoint: sidecar.correlation_engine_endpoint,
    samplingRate: sidecar.sampling_rate,
    tlsEnabled: sidecar.tls_enabled,
    tlsSecret: sidecar.tls_secret,
    cpuRequest: sidecar.cpu_request,
    cpuLimit: sidecar.cpu_limit,
    memoryRequest: sidecar.memory_request,
    memoryLimit: sidecar.memory_limit,
  };
}

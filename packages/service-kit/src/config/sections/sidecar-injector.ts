import { flag, real, text } from '../formats.js';
import { endpoint, listenAddress } from '../places.js';
import { group, leaf, section } from '../schema.js';
import { CONTRACT, checkPlaintext, checkTlsFiles, ESTIMATE, metricsPort, webhookTls } from './shared.js';

const quantity = text({ expects: 'a quantity such as "100m" or "128Mi"', pattern: /^[0-9]+(\.[0-9]+)?(m|[KMG]i?)?$/ });

const amount = (value: string, doc: string) =>
  leaf({ format: quantity, default: value, doc, source: CONTRACT, reloadable: true });

export const sidecarInjector = section(
  'The admission webhook of Kubernetes that puts the inference monitor beside inference servers.',
  {
    listen_address: leaf({
      format: listenAddress,
      default: '0.0.0.0:8443',
      doc: 'Where the API server of Kubernetes calls, POST /mutate.',
      source: ESTIMATE,
    }),
    tls: webhookTls('sidecar-injector'),
    sidecar: group('The container that is put beside a server.', {
      image: leaf({
        format: text({ expects: 'a reference of an image', pattern: /^[a-z0-9][A-Za-z0-9._/:@-]{0,254}$/ }),
        default: 'ghcr.io/sentinel-sdc/inference-monitor:0.1.0-alpha',
        doc: 'Its image.',
        source: CONTRACT,
        reloadable: true,
      }),
      correlation_engine_endpoint: leaf({
        format: endpoint,
        default: 'correlation-engine.sentinel.svc:50051',
        doc: 'Where it reaches the correlation engine, HOST:PORT.',
        source: CONTRACT,
        reloadable: true,
      }),
      sampling_rate: leaf({
        format: real(0, 1),
        default: 0.01,
        unit: 'fraction of the requests',
        doc: 'Unless the pod says another in its annotation sentinel-sdc.io/sampling-rate.',
        source: CONTRACT,
        reloadable: true,
      }),
      tls_enabled: leaf({
        format: flag,
        default: true,
        doc: 'It speaks TLS with the engine. Without it the container gets --insecure.',
        source: CONTRACT,
        reloadable: true,
      }),
      tls_secret: leaf({
        format: text({ expects: 'the name of a Secret', pattern: /^[a-z0-9][a-z0-9.-]{0,252}$/ }),
        default: 'sentinel-inference-monitor-tls',
        doc: 'Secret with its certificate (tls.crt, tls.key, ca.crt), in the namespace of the pod. Pods start without it.',
        source: CONTRACT,
        reloadable: true,
      }),
      cpu_request: amount('100m', 'CPU that it is given at least.'),
      cpu_limit: amount('500m', 'CPU that it takes at most.'),
      memory_request: amount('128Mi', 'Memory that it is given at least.'),
      memory_limit: amount('256Mi', 'Memory that it takes at most.'),
    }),
    metrics: group('The metrics port.', metricsPort(9095)),
  },
  (values, report, context) => {
    checkTlsFiles(values.tls, report);
    checkPlaintext(values.tls, { listen_address: values.listen_address }, report, context);
  },
);

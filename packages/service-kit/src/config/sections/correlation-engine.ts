import { choice, flag, integer, list, mapping } from '../formats.js';
import { endpoint, listenAddress, nodeName, optionalEndpoint, webHost, webOrigin } from '../places.js';
import { group, leaf, secret, section } from '../schema.js';
import { cohortManifest, correlation, tmr, trustGraph } from './agreement.js';
import { attribution } from './attribution.js';
import { bayesianModel, stateMachine } from './decisions.js';
import { database, directiveLog, history, redis } from './engine-stores.js';
import { gates } from './gates.js';
import {
  CONTRACT,
  checkPlaintext,
  checkTlsFiles,
  ESTIMATE,
  MIN_KEY_LENGTH,
  metricsPort,
  scyllaKeys,
  secretText,
  serverTls,
  tokens,
} from './shared.js';

export const correlationEngine = section(
  'The engine that collects evidence and decides.',
  {
    listen_address: leaf({
      format: listenAddress,
      default: '0.0.0.0:50051',
      doc: 'Where gRPC is served, HOST:PORT.',
      source: CONTRACT,
    }),
    tls: serverTls('correlation-engine'),
    http: group('JSON, gRPC-Web and the dashboard.', {
      listen_address: leaf({
        format: listenAddress,
        default: '0.0.0.0:8080',
        doc: 'Where HTTP is served, HOST:PORT.',
        source: CONTRACT,
      }),
      allowed_origins: leaf({
        format: list(webOrigin),
        default: [],
        doc: 'Web origins, besides its own, whose pages may call this service.',
        source: CONTRACT,
      }),
      allowed_hosts: leaf({
        format: list(webHost),
        default: [],
        doc: 'Names, besides the address it listens on and localhost, under which this service answers (the Host header is checked).',
        source: CONTRACT,
      }),
    }),
    metrics: group('The metrics port.', {
      ...metricsPort(9090),
      per_gpu_series_max_gpus: leaf({
        format: integer(0, 100_000),
        default: 2000,
        unit: 'devices',
        doc: 'Largest fleet for which every device has series of its own, up to seven; beyond it only those that are not healthy.',
        source: 'measured: each scrape takes 0.1 s of the processor at 2,000 devices',
      }),
    }),
    replica: group(
      'Several engines on one database: one decides, the others carry calls to it. Setting a server for redis.url says so.',
      {
        listen_address: leaf({
          format: listenAddress,
          default: '0.0.0.0:50053',
          doc: 'Where the other replicas reach this one, HOST:PORT; open only with several.',
          source: ESTIMATE,
        }),
        advertise_address: leaf({
          format: optionalEndpoint,
          default: '',
          doc: 'What the others are told to connect to, HOST:PORT; "" = the host of listen_address, or the name of this machine where that is every interface. In Kubernetes the address of the pod.',
          source: ESTIMATE,
        }),
      },
    ),
    mode: leaf({
      format: choice('observe', 'enforce'),
      default: 'observe',
      doc: 'observe = decisions are shown and recorded but no device is taken out; enforce = it is.',
      source: CONTRACT,
      reloadable: true,
    }),
    gates,
    attribution,
    bayesian_model: bayesianModel,
    state_machine: stateMachine,
    correlation,
    tmr,
    trust_graph: trustGraph,
    database,
    directive_log: directiveLog,
    cohort_manifest: cohortManifest,
    history,
    scylla: group(
      'The store of every run, for fleets.',
      scyllaKeys('sentinel', 'history.url', { write: 'LOCAL_QUORUM', read: 'LOCAL_ONE' }),
    ),
    redis,
    audit_ledger_endpoint: leaf({
      format: endpoint,
      default: 'localhost:50052',
      doc: "Where the audit ledger's writer listens, HOST:PORT. While it is away entries wait; decisions do not.",
      source: CONTRACT,
    }),
    ...secret('hmac_keys', {
      format: mapping(secretText(MIN_KEY_LENGTH)),
      default: {},
      doc: "Fleet keys by key id, {default: KEY}; several while keys rotate. An agent names the key it uses. {} or an empty key = that key's batches are refused.",
      source: CONTRACT,
      reloadable: true,
    }),
    enrolment: leaf({
      format: choice('open', 'closed'),
      default: 'open',
      doc: 'open = any node with a valid signature may report; closed = only enrolled_nodes.',
      source: CONTRACT,
      reloadable: true,
    }),
    enrolled_nodes: leaf({
      format: list(nodeName),
      default: [],
      doc: 'Nodes that may report while enrolment is closed.',
      source: CONTRACT,
      reloadable: true,
    }),
    allow_test_builds: leaf({
      format: flag,
      default: false,
      doc: 'Accepts agents that can inject faults. All that comes of them is marked INJECTED.',
      source: CONTRACT,
    }),
    security: group('Who is believed.', {
      require_node_identity: leaf({
        format: flag,
        default: false,
        doc: "Demands the node's name in the agent's certificate (URI sentinel://node/NAME). Without it a shared certificate proves only that an agent speaks.",
        source: CONTRACT,
        reloadable: true,
      }),
    }),
    ...tokens(),
  },
  (values, report, context) => {
    checkTlsFiles(values.tls, report);
    const addresses = {
      listen_address: values.listen_address,
      'http.listen_address': values.http.listen_address,
      audit_ledger_endpoint: values.audit_ledger_endpoint,
      ...(values.redis.url.startsWith('memory:') ? {} : { 'replica.listen_address': values.replica.listen_address }),
    };
    checkPlaintext(values.tls, addresses, report, context);
    const proven = values.tls.enabled && values.tls.mutual_tls;
    if (!values.redis.url.startsWith('memory:') && !proven && values.service_token === '') {
      report('service_token', 'must be set for several replicas without mutual TLS: they know each other by it');
    }
    if (values.enrolment === 'closed' && values.enrolled_nodes.length === 0) {
      report('enrolled_nodes', 'must name at least one node while enrolment is closed');
    }
    if (values.state_machine.suspect_to_quarantine_threshold > values.state_machine.healthy_to_suspect_threshold) {
      report('state_machine.suspect_to_quarantine_threshold', 'must not be above healthy_to_suspect_threshold');
    }
  },
);

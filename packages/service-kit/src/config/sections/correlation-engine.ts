import { choice, flag, integer, list, mapping, real, text } from '../formats.js';
import { endpoint, listenAddress, nodeName, optionalPath, storeUrl, webHost, webOrigin } from '../places.js';
import { group, inert, inertGroup, leaf, secret, section } from '../schema.js';
import { attribution } from './attribution.js';
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

const bayesianModel = group(
  'The score that is shown: alpha / (alpha + beta). It is a display of the evidence, and decides nothing by itself.',
  {
    prior_alpha: leaf({
      format: real(1, 1e6),
      default: 100,
      doc: 'alpha of a device that nothing is known about.',
      source: CONTRACT,
      reloadable: true,
    }),
    prior_beta: leaf({
      format: real(0.001, 1e6),
      default: 1,
      doc: 'beta of a device that nothing is known about.',
      source: CONTRACT,
      reloadable: true,
    }),
    decay_half_life_hours: leaf({
      format: real(1, 87_600),
      default: 168,
      unit: 'h',
      doc: 'Half-life of how much was seen; it moves alpha and beta, not their ratio.',
      source: CONTRACT,
      reloadable: true,
    }),
  },
);

const stateMachine = group("A device's way through HEALTHY, SUSPECT, QUARANTINED, DEEP_TEST and CONDEMNED.", {
  healthy_to_suspect_threshold: leaf({
    format: real(0, 1),
    default: 0.95,
    unit: 'score',
    doc: 'A score below makes a device SUSPECT.',
    source: CONTRACT,
    reloadable: true,
  }),
  suspect_to_quarantine_threshold: leaf({
    format: real(0, 1),
    default: 0.8,
    unit: 'score',
    doc: 'A score below asks for a quarantine, through the gates and never with posterior odds under 19.',
    source: CONTRACT,
    reloadable: true,
  }),
  immediate_quarantine_failures: leaf({
    format: integer(1, 1000),
    default: 3,
    unit: 'consecutive failing runs',
    doc: 'So many ask for a quarantine, through the same gates.',
    source: CONTRACT,
    reloadable: true,
  }),
  quarantine_to_healthy_threshold: leaf({
    format: real(0, 1),
    default: 0.98,
    unit: 'score',
    doc: 'Score that a device needs, besides its clean executions, to leave quarantine.',
    source: CONTRACT,
    reloadable: true,
  }),
  reinstatement_pass_count: leaf({
    format: integer(1, 10_000_000),
    default: 1000,
    unit: 'executions',
    doc: 'Clean executions of each failing unit that a deep test must reach, at least.',
    source: CONTRACT,
    reloadable: true,
  }),
  max_quarantine_hours: leaf({
    format: real(1, 87_600),
    default: 720,
    unit: 'h',
    doc: 'After so long out of service a condemnation is proposed, and again so long after a refusal; only an operator completes it.',
    source: CONTRACT,
    reloadable: true,
  }),
  require_approval: leaf({
    format: flag,
    default: false,
    doc: 'Holds every quarantine, deep test and reinstatement of the engine until an operator approves it. A condemnation always waits.',
    source: CONTRACT,
    reloadable: true,
  }),
  approval_expiry_hours: leaf({
    format: real(0.01, 8760),
    default: 72,
    unit: 'h',
    doc: 'What nobody approved in this time is dropped; the evidence stays.',
    source: 'a long weekend',
    reloadable: true,
  }),
  approve_own_proposals: leaf({
    format: flag,
    default: false,
    doc: 'Who proposed an action may approve it too. The operator token is one person, whoever holds it.',
    source: 'secure default: two persons',
    reloadable: true,
  }),
});

const correlation = group(
  'Patterns in what speaks against a device: they are shown and go to the audit ledger, and decide nothing.',
  {
    window_seconds: leaf({
      format: integer(1, 86_400),
      default: 300,
      unit: 's',
      doc: 'Signals of different sources about one device that fall so close together make MULTI_SIGNAL.',
      source: CONTRACT,
      reloadable: true,
    }),
    min_confidence: leaf({
      format: real(0, 1),
      default: 0.6,
      doc: 'Patterns that chance alone explains with a probability above 1 minus this are left out.',
      source: CONTRACT,
      reloadable: true,
    }),
    ...inert({
      buffer_size: leaf({
        format: integer(100, 10_000_000),
        default: 100_000,
        unit: 'events',
        doc: 'Patterns come from counts that are kept per device, so no events are buffered.',
        source: CONTRACT,
      }),
    }),
  },
);

const tmr = group('Canaries: the same computation on three devices, with a vote.', {
  enabled: leaf({
    format: flag,
    default: true,
    doc: 'Schedules canaries, and asks two others about each suspect.',
    source: CONTRACT,
    reloadable: true,
  }),
  interval_seconds: leaf({
    format: integer(1, 86_400),
    default: 600,
    unit: 's',
    doc: 'Time between two canaries.',
    source: CONTRACT,
    reloadable: true,
  }),
  timeout_ms: leaf({
    format: integer(100, 3_600_000),
    default: 30_000,
    unit: 'ms',
    doc: 'A member that has not answered by then does not vote.',
    source: CONTRACT,
    reloadable: true,
  }),
  selection_strategy: leaf({
    format: choice('round_robin', 'random', 'suspect_priority'),
    default: 'round_robin',
    doc: 'Which device a canary begins with; suspect_priority = a SUSPECT if there is one. Two others of its cohort join it.',
    source: CONTRACT,
    reloadable: true,
  }),
});

const database = group('The store of state and decisions.', {
  ...secret('postgres_url', {
    format: storeUrl(['embedded', 'postgres', 'postgresql']),
    default: 'embedded:///var/lib/sentinel/pg',
    doc: 'postgres://USER:PASSWORD@HOST/DATABASE, or embedded://DIR for a PostgreSQL that the engine runs itself in that folder.',
    source: CONTRACT,
  }),
  max_connections: leaf({ format: integer(1, 1000), default: 20, doc: 'Connections at most.', source: CONTRACT }),
  connect_timeout_ms: leaf({
    format: integer(100, 600_000),
    default: 5000,
    unit: 'ms',
    doc: 'A connection that is not made by then has failed; it is tried again.',
    source: CONTRACT,
  }),
  sslmode: leaf({
    format: choice('disable', 'require', 'verify-ca', 'verify-full'),
    default: 'verify-full',
    doc: 'TLS towards a PostgreSQL server; an embedded one is reached through a local socket or loopback.',
    source: 'secure default; the meaning is that of libpq',
  }),
  ca_file: leaf({
    format: optionalPath,
    default: '',
    doc: 'Authorities that the server is checked against, PEM; "" = those of the system.',
    source: CONTRACT,
    readable: 'always',
  }),
});

const directiveLog = group('What orchestrators are told: quarantines, cordons and their ends, streamed from a log.', {
  retention_days: leaf({
    format: integer(1, 36_500),
    default: 90,
    unit: 'days',
    doc: 'How long a directive is kept for an orchestrator that was away; a cursor from before is refused.',
    source: ESTIMATE,
    reloadable: true,
  }),
  slow_consumer_seconds: leaf({
    format: integer(1, 3600),
    default: 30,
    unit: 's',
    doc: 'An orchestrator that leaves its stream unread for so long is disconnected; it goes on from its cursor.',
    source: ESTIMATE,
    reloadable: true,
  }),
});

const cohortManifest = group(
  'Gate 3: cohorts that operators vouch for, in a file that one of them signed, in place of clean devices enough.',
  {
    file: leaf({
      format: optionalPath,
      default: '',
      doc: 'The signed file, see docs/decisions.md; "" = none.',
      source: ESTIMATE,
      readable: 'always',
      reloadable: true,
    }),
    keys: leaf({
      format: mapping(text({ expects: 'an Ed25519 public key, 32 bytes as base64', pattern: /^[A-Za-z0-9+/]{43}=$/ })),
      default: {},
      doc: 'Public keys of the operators who may sign it, by key id.',
      source: ESTIMATE,
      reloadable: true,
    }),
  },
);

const redis = group('Live cache and notices to dashboards.', {
  ...inert(
    secret('url', {
      format: storeUrl(['memory', 'redis', 'rediss']),
      default: 'memory://',
      doc: 'redis://:PASSWORD@HOST:6379, rediss:// for TLS, or memory:// inside a single engine. Setting a server selects it.',
      source: CONTRACT,
    }),
  ),
  ...inert({
    pool_size: leaf({ format: integer(1, 1000), default: 10, doc: 'Connections at most.', source: CONTRACT }),
  }),
});

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
        doc: 'Largest fleet for which every device has series of its own; beyond it only those that are not healthy.',
        source: 'measured: 100,000 series block a scrape for 0.8 s',
      }),
    }),
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
    trust_graph: group('Who agreed with whom: a view that decides nothing.', {
      enabled: leaf({
        format: flag,
        default: true,
        doc: 'Counts who agrees with whom in canaries.',
        source: CONTRACT,
        reloadable: true,
      }),
      snapshot_interval_seconds: leaf({
        format: integer(10, 604_800),
        default: 3600,
        unit: 's',
        doc: 'Time between two snapshots in the database, while there is something new.',
        source: CONTRACT,
        reloadable: true,
      }),
    }),
    database,
    directive_log: directiveLog,
    cohort_manifest: cohortManifest,
    history: group('The store of every run.', {
      url: leaf({
        format: storeUrl(['file']),
        default: 'file:///var/lib/sentinel/history',
        doc: 'file://DIR, a folder of segment files; used while scylla.contact_points is empty.',
        source: ESTIMATE,
      }),
    }),
    scylla: inertGroup('The store of every run, for fleets.', scyllaKeys('sentinel', 'history.url')),
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
    };
    checkPlaintext(values.tls, addresses, report, context);
    if (values.enrolment === 'closed' && values.enrolled_nodes.length === 0) {
      report('enrolled_nodes', 'must name at least one node while enrolment is closed');
    }
    if (values.state_machine.suspect_to_quarantine_threshold > values.state_machine.healthy_to_suspect_threshold) {
      report('state_machine.suspect_to_quarantine_threshold', 'must not be above healthy_to_suspect_threshold');
    }
  },
);

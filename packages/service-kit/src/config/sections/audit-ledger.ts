import { choice, integer, list, text } from '../formats.js';
import { endpoint, listenAddress, optionalPath, requiredPath, webHost, webOrigin } from '../places.js';
import { group, leaf, type Report, secret, section } from '../schema.js';
import {
  CONTRACT,
  checkPlaintext,
  checkTlsFiles,
  ESTIMATE,
  metricsPort,
  scyllaKeys,
  secretText,
  serverTls,
  tokens,
} from './shared.js';

const DAYS_MAX = 36_500;

const retention = group(
  'What is kept how long. Hashes, seals and checkpoints stay for ever, and so does what is held (sentinel-audit-ledger hold).',
  {
    detail_retention_days: leaf({
      format: integer(0, DAYS_MAX),
      default: 365,
      unit: 'days',
      doc: 'Age at which the details of an entry are pruned; 0 = never.',
      source: CONTRACT,
    }),
    summary_retention_days: leaf({
      format: integer(0, DAYS_MAX),
      default: 0,
      unit: 'days',
      doc: 'Age at which entries are pruned but for their hashes; 0 = never.',
      source: CONTRACT,
    }),
    cleanup_interval_hours: leaf({
      format: integer(1, 8760),
      default: 24,
      unit: 'h',
      doc: 'Time between two prunings.',
      source: CONTRACT,
    }),
  },
);

const verification = group('The ledger checks itself.', {
  auto_verify_interval_hours: leaf({
    format: integer(0, 8760),
    default: 6,
    unit: 'h',
    doc: 'Time between two checks; 0 = none.',
    source: CONTRACT,
  }),
  auto_verify_depth: leaf({
    format: integer(1, 1_000_000_000),
    default: 10_000,
    unit: 'entries',
    doc: 'Newest entries that each check reads at least; it reads all since the check before in any case.',
    source: CONTRACT,
  }),
  repair_from: leaf({
    format: list(text({ expects: 'a path or http://HOST:PORT', pattern: /^\S(.*\S)?$/ })),
    default: [],
    doc: 'Copies of the log that what a check finds damaged is mended from, and that `sentinel-audit-ledger repair` uses: exports, data folders, http://HOST:PORT of ledgers. [] = checks mend nothing.',
    source: ESTIMATE,
  }),
});

export const auditLedger = section(
  'The signed log of every decision.',
  {
    listen_address: leaf({
      format: listenAddress,
      default: '0.0.0.0:50052',
      doc: 'Where gRPC is served, HOST:PORT.',
      source: CONTRACT,
    }),
    tls: serverTls('audit-ledger'),
    http: group('Checkpoint, tiles and queries for anybody who verifies.', {
      listen_address: leaf({
        format: listenAddress,
        default: '0.0.0.0:8083',
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
    metrics: group('The metrics port.', metricsPort(9091)),
    data_dir: leaf({
      format: requiredPath,
      default: '/var/lib/sentinel/ledger',
      doc: 'Folder of the log (backend file) and of the last signed checkpoint.',
      source: ESTIMATE,
    }),
    origin: leaf({
      format: text({ expects: 'a log name without blanks or "+"', pattern: /^[^\s+]{1,200}$/, allowEmpty: true }),
      default: '',
      doc: 'First line of every checkpoint, for ever; "" = sentinel/ and an id made with the log.',
      source: 'C2SP tlog-checkpoint',
    }),
    ...secret('signing_key', {
      format: secretText(0),
      default: '',
      doc: 'Ed25519 key that signs checkpoints, as `sentinel-audit-ledger keygen` writes it. A writer needs it. Another key after SIGHUP takes the log over.',
      reloadable: true,
      source: CONTRACT,
    }),
    ...secret('attestation_signing_key', {
      format: secretText(0),
      default: '',
      doc: 'Ed25519 key that signs what verifications showed (verify --attest), as `sentinel-audit-ledger keygen --attestation` writes it; never the key of the log.',
      source: ESTIMATE,
    }),
    verifier_key: leaf({
      format: text({
        expects: 'a note verifier key, name+id+key',
        pattern: /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/,
        allowEmpty: true,
      }),
      default: '',
      doc: 'Key that checkpoints must be signed by, as `sentinel-audit-ledger keygen` and `sentinel audit key` print it; "" = that of signing_key. A reader needs one of the two: a key that nobody pinned proves nothing.',
      source: 'C2SP signed-note',
    }),
    reader: group('A process of --mode reader, which serves what a writer stored.', {
      state_dir: leaf({
        format: optionalPath,
        default: '',
        doc: 'Folder where a reader keeps the newest checkpoint that it verified, and evidence of a forked log; "" = data_dir with ".reader" behind it.',
        source: ESTIMATE,
      }),
      poll_interval_ms: leaf({
        format: integer(10, 60_000),
        default: 500,
        unit: 'ms',
        doc: 'Time between two looks at the checkpoint of the writer.',
        source: ESTIMATE,
      }),
      max_silence_seconds: leaf({
        format: integer(1, 86_400),
        default: 60,
        unit: 's',
        doc: 'A reader whose looks have failed for longer says that it does not serve.',
        source: ESTIMATE,
      }),
      writer_address: leaf({
        format: endpoint,
        default: 'audit-ledger:50052',
        doc: 'Where the writer takes entries: whoever sends one to a reader is told.',
        source: CONTRACT,
      }),
    }),
    chain: group('How entries become durable.', {
      hash_algorithm: leaf({
        format: choice('sha256'),
        default: 'sha256',
        doc: 'Hash of leaves and tree.',
        source: 'RFC 6962',
      }),
      batch_size: leaf({
        format: integer(1, 65_536),
        default: 8192,
        unit: 'entries',
        doc: 'Entries that are committed together at most.',
        source: CONTRACT,
      }),
      flush_interval_seconds: leaf({
        format: integer(1, 86_400),
        default: 60,
        unit: 's',
        doc: 'Time between two seals: entries that record totals which survive pruning.',
        source: ESTIMATE,
      }),
    }),
    storage: group('Where entries are kept.', {
      backend: leaf({
        format: choice('auto', 'file', 'scylla'),
        default: 'auto',
        doc: 'file = segment files in data_dir; scylla = a cluster; auto = the cluster if scylla.contact_points are set, else files.',
        source: CONTRACT,
      }),
      scylla: group('The cluster.', scyllaKeys('sentinel_audit', 'segment files', { write: 'QUORUM', read: 'QUORUM' })),
    }),
    retention,
    verification,
    ...tokens(),
  },
  (values, report, context) => {
    checkTlsFiles(values.tls, report);
    const addresses = { listen_address: values.listen_address, 'http.listen_address': values.http.listen_address };
    checkPlaintext(values.tls, addresses, report, context);
    if (values.storage.backend === 'scylla' && values.storage.scylla.contact_points.length === 0) {
      report('storage.scylla.contact_points', 'must be set while storage.backend is scylla');
    }
    checkConsistency(values.storage.scylla, report);
  },
);

/** What a read must ask of the copies to see what each write was confirmed by. Weaker writes would lose acknowledged entries with one node. */
const SEES: Readonly<Record<string, readonly string[]>> = {
  QUORUM: ['QUORUM', 'ALL'],
  LOCAL_QUORUM: ['LOCAL_QUORUM', 'ALL'],
  EACH_QUORUM: ['LOCAL_QUORUM', 'QUORUM', 'ALL'],
  ALL: ['ONE', 'LOCAL_ONE', 'LOCAL_QUORUM', 'QUORUM', 'ALL'],
};

function checkConsistency(
  { write_consistency: write, read_consistency: read }: { write_consistency: string; read_consistency: string },
  report: Report,
): void {
  const seen = SEES[write];
  if (seen === undefined)
    report(
      'storage.scylla.write_consistency',
      `must be one of ${Object.keys(SEES).join(', ')}: ${write} loses entries with one node`,
    );
  else if (!seen.includes(read))
    report('storage.scylla.read_consistency', `must be one of ${seen.join(', ')} to see what is written at ${write}`);
}

import { choice, flag, integer, list, text } from '../formats.js';
import { isLoopback, listenAddress, optionalPath } from '../places.js';
import { type CheckContext, type Children, group, leaf, type Readability, type Report, secret } from '../schema.js';

/** Groups of keys that several sections have in common. */

export const CONTRACT = 'operator contract';
export const ESTIMATE = 'engineering estimate';

const WHILE_TLS = { whileSibling: 'enabled' } as const;
const LATE = { ...WHILE_TLS, late: true } as const;

function identityFiles(certificate: string, readable: Readability = WHILE_TLS) {
  return {
    enabled: leaf({
      format: flag,
      default: true,
      doc: 'Encrypts and authenticates every gRPC and HTTP connection with TLS 1.3. Without it, addresses off loopback need --insecure.',
      source: CONTRACT,
    }),
    cert_file: leaf({
      format: optionalPath,
      default: `/etc/sentinel/certs/${certificate}.crt`,
      doc: 'Own certificate, PEM. Read again when it changes.',
      source: CONTRACT,
      readable,
    }),
    key_file: leaf({
      format: optionalPath,
      default: `/etc/sentinel/certs/${certificate}.key`,
      doc: 'Private key of cert_file, PEM.',
      source: CONTRACT,
      readable,
    }),
    ca_file: leaf({
      format: optionalPath,
      default: '/etc/sentinel/certs/ca.crt',
      doc: 'Certificates of the authorities that peers are checked against, PEM.',
      source: CONTRACT,
      readable,
    }),
    server_name: leaf({
      format: text({ expects: 'a host name', allowEmpty: true }),
      default: '',
      doc: 'Name to expect in the certificate of the server that this service calls; "" = the host of the endpoint.',
      source: ESTIMATE,
    }),
  };
}

/** TLS of a service that only calls others. `certificate` is the base name of the default files. */
export function clientTls(certificate: string) {
  return group('TLS towards the services that this one calls.', identityFiles(certificate));
}

/** TLS of a service that goes on without its certificate until there is one. */
export function lateClientTls(certificate: string) {
  return group(
    'TLS towards the services that this one calls. Until the files are there it goes on without those services.',
    identityFiles(certificate, LATE),
  );
}

/** TLS of a service that listens (and calls others with the same identity). */
export function serverTls(certificate: string) {
  return group('TLS of the ports of this service and of its calls to others.', {
    ...identityFiles(certificate),
    mutual_tls: leaf({
      format: flag,
      default: true,
      doc: 'Demands a certificate from every gRPC client; it decides what the client may say.',
      source: CONTRACT,
    }),
  });
}

/** TLS of a service that the API server of Kubernetes calls. */
export function webhookTls(certificate: string) {
  const { enabled, cert_file, key_file, ca_file } = identityFiles(certificate);
  return group('TLS of the port that is called.', { enabled, cert_file, key_file, ca_file });
}

export function metricsPort(port: number) {
  return {
    enabled: leaf({ format: flag, default: true, doc: 'Serves Prometheus metrics.', source: CONTRACT }),
    listen_address: leaf({
      format: listenAddress,
      default: `0.0.0.0:${port}`,
      doc: 'Where GET /metrics answers, in plain HTTP.',
      source: CONTRACT,
    }),
  };
}

type Consistency = 'ONE' | 'LOCAL_ONE' | 'QUORUM' | 'LOCAL_QUORUM' | 'EACH_QUORUM' | 'ALL';

/** Keys of a Scylla or Cassandra cluster. Setting contact points selects it. */
export function scyllaKeys(
  keyspace: string,
  replacedKey: string,
  { write, read }: { readonly write: Consistency; readonly read: Consistency },
) {
  return {
    contact_points: leaf({
      format: list(text({ expects: 'HOST or HOST:PORT', pattern: /^[A-Za-z0-9._[\]:-]{1,259}$/ })),
      default: [],
      doc: `First nodes to connect to, HOST or HOST:PORT. Setting them selects the cluster in place of ${replacedKey}.`,
      source: CONTRACT,
    }),
    keyspace: leaf({
      format: text({ expects: 'a keyspace name', pattern: /^[A-Za-z][A-Za-z0-9_]{0,47}$/ }),
      default: keyspace,
      doc: 'Keyspace of the tables.',
      source: CONTRACT,
    }),
    replication_factor: leaf({
      format: integer(1, 9),
      default: 3,
      doc: 'Copies of each row when the keyspace is made. A cluster of one node needs 1.',
      source: CONTRACT,
    }),
    write_consistency: leaf({
      format: choice('ONE', 'LOCAL_ONE', 'QUORUM', 'LOCAL_QUORUM', 'EACH_QUORUM', 'ALL'),
      default: write,
      doc: 'Copies that must confirm a write.',
      source: CONTRACT,
    }),
    read_consistency: leaf({
      format: choice('ONE', 'LOCAL_ONE', 'QUORUM', 'LOCAL_QUORUM', 'EACH_QUORUM', 'ALL'),
      default: read,
      doc: 'Copies that must answer a read.',
      source: CONTRACT,
    }),
    local_datacenter: leaf({
      format: text({ expects: 'a data centre name' }),
      default: 'dc1',
      doc: 'Data centre whose nodes are preferred.',
      source: CONTRACT,
    }),
    request_timeout_ms: leaf({
      format: integer(100, 600_000),
      default: 5000,
      unit: 'ms',
      doc: 'A connection that is not made and a statement that is not answered by then have failed: a node that hangs shows as one that is away. Changes of the schema have 30 s at least.',
      source: ESTIMATE,
    }),
    username: leaf({
      format: text({ expects: 'a user name', allowEmpty: true }),
      default: '',
      doc: 'User of the cluster; "" = no authentication.',
      source: CONTRACT,
    }),
    ...secret('password', { format: secretText(0), default: '', doc: 'Password of username.', source: CONTRACT }),
    tls: group('TLS towards the cluster.', {
      enabled: leaf({ format: flag, default: false, doc: 'Encrypts connections to the cluster.', source: CONTRACT }),
      ca_file: leaf({
        format: optionalPath,
        default: '',
        doc: 'Authorities that the nodes are checked against, PEM; "" = those of the system.',
        source: CONTRACT,
        readable: WHILE_TLS,
      }),
    }),
  };
}

/** A secret of at least `minLength` characters; empty means not set. */
export function secretText(minLength: number) {
  const expects = minLength > 0 ? `at least ${minLength} characters` : 'text';
  return text({ expects, pattern: new RegExp(`^.{${minLength},}$`, 'u'), allowEmpty: true });
}

/** Shorter keys and tokens can be guessed. */
export const MIN_KEY_LENGTH = 16;

/** Who may be asked for what on a plaintext loopback installation. */
export function tokens() {
  return {
    ...secret('operator_token', {
      format: secretText(MIN_KEY_LENGTH),
      default: '',
      doc: 'Bearer token of an operator: whoever presents it may change things. "" = only operator certificates may.',
      source: ESTIMATE,
      reloadable: true,
    }),
    ...secret('service_token', {
      format: secretText(MIN_KEY_LENGTH),
      default: '',
      doc: 'Token by which monitors and SENTINEL services know each other where TLS is off. "" = none is accepted or sent.',
      source: ESTIMATE,
      reloadable: true,
    }),
  } satisfies Children;
}

interface TlsValues {
  readonly enabled: boolean;
  readonly cert_file: string;
  readonly key_file: string;
  readonly ca_file: string;
}

/** With TLS on, all three files are needed. */
export function checkTlsFiles(tls: TlsValues, report: Report): void {
  if (!tls.enabled) return;
  for (const name of ['cert_file', 'key_file', 'ca_file'] as const) {
    if (tls[name] === '') report(`tls.${name}`, 'must be set while tls.enabled is true');
  }
}

/** With TLS off, an address that others can reach needs `--insecure`. */
export function checkPlaintext(
  tls: TlsValues,
  addresses: Readonly<Record<string, string>>,
  report: Report,
  context: CheckContext,
): void {
  if (tls.enabled || context.insecure) return;
  for (const [key, address] of Object.entries(addresses)) {
    if (isLoopback(address)) continue;
    report(
      key,
      `plaintext beyond loopback (${address} while tls.enabled is false): use 127.0.0.1, enable TLS or pass --insecure`,
    );
  }
}

import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { eventually, freePort, startProcess, type TestProcess, temporaryFolder } from '@sentinel/test-kit';
import { runProgram } from '../harness/cli.js';
import { ROOT } from '../harness/paths.js';

const START_MS = 120_000;
/** Admission that needs controllers, which are not here. */
const WITHOUT = 'ServiceAccount,TaintNodesByCondition';

/** An object of Kubernetes, as far as it names itself. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

export interface Reply<T> {
  readonly status: number;
  /** What the API server says to whoever asked, besides its answer. */
  readonly warnings: readonly string[];
  readonly body: T;
}

/** Plural, where it is not the lower-case kind with "s". */
const PLURALS: Readonly<Record<string, string>> = { NetworkPolicy: 'networkpolicies' };
const CLUSTER_WIDE = new Set(['Namespace', 'CustomResourceDefinition', 'MutatingWebhookConfiguration']);

/** A real API server with its etcd, on loopback, without a node: it takes objects, validates them and calls webhooks. */
export class ApiServer implements AsyncDisposable {
  readonly #port: number;
  readonly #token: string;
  readonly #agent: Agent;
  readonly #processes: readonly TestProcess[];

  private constructor(port: number, token: string, agent: Agent, processes: readonly TestProcess[]) {
    this.#port = port;
    this.#token = token;
    this.#agent = agent;
    this.#processes = processes;
  }

  static async start(program: string): Promise<ApiServer> {
    const folder = await temporaryFolder();
    const in_ = (name: string) => join(folder.path, name);
    const [port, client, peer] = [await freePort(), await freePort(), await freePort()];
    const token = randomBytes(16).toString('hex');
    writeFileSync(in_('tokens.csv'), `${token},admin,1,system:masters\n`, { mode: 0o600 });
    for (const args of [
      ['genrsa', '-out', in_('sa.key'), '2048'],
      ['rsa', '-in', in_('sa.key'), '-pubout', '-out', in_('sa.pub')],
    ]) {
      const { code, stderr } = await runProgram('openssl', args);
      if (code !== 0) throw new Error(stderr);
    }
    const [clientUrl, peerUrl] = [client, peer].map((each) => `http://127.0.0.1:${each}`);
    const etcd = await startProcess({
      command: [
        ...[program, 'etcd', '--data-dir', in_('etcd'), '--unsafe-no-fsync', '--name', 'e'],
        ...['--listen-client-urls', `${clientUrl}`, '--advertise-client-urls', `${clientUrl}`],
        ...['--listen-peer-urls', `${peerUrl}`, '--initial-advertise-peer-urls', `${peerUrl}`],
        ...['--initial-cluster', `e=${peerUrl}`],
      ] as [string, ...string[]],
    });
    const api = await startProcess({
      command: [
        ...[program, 'kube-apiserver', '--etcd-servers', `${clientUrl}`, '--secure-port', String(port)],
        ...['--bind-address', '127.0.0.1', '--advertise-address', '127.0.0.1', '--cert-dir', in_('certs')],
        ...['--service-cluster-ip-range', '10.0.0.0/24', '--token-auth-file', in_('tokens.csv')],
        ...['--authorization-mode', 'RBAC', '--service-account-issuer', 'https://kubernetes.default.svc'],
        ...['--service-account-key-file', in_('sa.pub'), '--service-account-signing-key-file', in_('sa.key')],
        ...['--endpoint-reconciler-type', 'none', '--disable-admission-plugins', WITHOUT],
      ] as [string, ...string[]],
    });
    const server = await eventually(
      async () => {
        const agent = new Agent({ ca: readFileSync(in_('certs/apiserver.crt')), keepAlive: true });
        const made = new ApiServer(port, token, agent, [api, etcd]);
        const { status } = await made.ask('GET', '/readyz');
        return status === 200 ? made : undefined;
      },
      { what: 'the API server is ready', timeoutMs: START_MS, intervalMs: 250 },
    );
    return server;
  }

  /** As administrator; a body that is a string goes as it is. */
  ask<T = unknown>(method: string, path: string, body?: unknown, type = 'application/json'): Promise<Reply<T>> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': type };
    const options = { host: '127.0.0.1', port: this.#port, method, path, headers, agent: this.#agent };
    return new Promise((resolve, reject) => {
      const call = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          const warnings = [response.headers['warning'] ?? []].flat().map(String);
          const json = (response.headers['content-type'] ?? '').includes('json');
          resolve({ status: response.statusCode ?? 0, warnings, body: (json ? JSON.parse(text) : text) as T });
        });
      });
      call.on('error', reject);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** `kubectl apply --server-side --validate=strict`. @throws Error with what the API server has against it */
  async apply(manifest: Manifest): Promise<void> {
    const path = `${pathOf(manifest)}?fieldManager=test&force=true&fieldValidation=Strict`;
    const { status, body } = await this.ask('PATCH', path, manifest, 'application/apply-patch+yaml');
    if (status >= 300) throw new Error(`${manifest.kind} ${manifest.metadata.name}: ${JSON.stringify(body)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    for (const each of this.#processes) await each.kill();
  }
}

function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const namespace = CLUSTER_WIDE.has(kind) ? '' : `/namespaces/${metadata.namespace ?? 'default'}`;
  return `${root}${namespace}/${PLURALS[kind] ?? `${kind.toLowerCase()}s`}/${metadata.name}`;
}

/** The program, compiled where it is not there yet, which takes minutes. */
export async function controlPlaneProgram(): Promise<string> {
  const compile = await startProcess({ command: [process.execPath, join(ROOT, 'scripts/kubernetes.mjs')] });
  const { code } = await compile.exited;
  if (code !== 0) throw new Error(compile.output);
  return compile.output.trim();
}

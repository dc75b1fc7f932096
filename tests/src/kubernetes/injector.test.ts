/** Manifests and the admission webhook, by a real API server of Kubernetes. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually, type TestProcess } from '@sentinel/test-kit';
import { parseAllDocuments } from 'yaml';
import { startInjector } from '../harness/injector.js';
import { ROOT } from '../harness/paths.js';
import { ApiServer, controlPlaneProgram, type Manifest, type Reply } from './api-server.js';

const FOLDER = join(ROOT, 'deploy/kubernetes');
const COMPILING_MS = 1_500_000;
/** The most that there is: in a cluster pods are made without the sidecar where a busy machine makes the injector late. */
const PATIENCE_SECONDS = 30;
const LABEL = { 'sentinel-sdc.io/inject': 'enabled' };

interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly containers: readonly {
      readonly name: string;
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
      readonly env?: readonly { readonly name: string; readonly value?: string }[];
    }[];
  };
}

interface Webhook extends Manifest {
  readonly webhooks: readonly {
    readonly name: string;
    readonly clientConfig: { readonly service?: { readonly path: string } };
  }[];
}

function manifestsOf(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as Manifest);
}

/** Never in CI, where it is compiled. */
const skip =
  process.env['CI'] !== 'true' && globSync(join(ROOT, '.sentinel/kubernetes/control-plane-*')).length === 0
    ? 'no API server was compiled here (node scripts/kubernetes.mjs)'
    : false;

describe('Kubernetes', { skip, timeout: COMPILING_MS }, () => {
  let api: ApiServer;
  let injector: TestProcess;
  let metrics: string;
  before(async () => {
    api = await ApiServer.start(await controlPlaneProgram());
    for (const name of ['sentinel', 'inference'])
      await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await api.apply(certificates());
    ({ injector, metrics } = await applyWebhook(api));
    // The API server hears of a webhook a moment after it has taken it.
    const asked = async (): Promise<boolean> =>
      (await create(plain('first'), 'inference', '?dryRun=All')).body.spec.containers.length === 2;
    await eventually(asked, { what: 'the API server asks the webhook', timeoutMs: 60_000, intervalMs: 200 });
  });
  after(async () => {
    await injector?.kill();
    await api?.[Symbol.asyncDispose]();
  });

  for (const file of globSync(`${FOLDER}/**/*.yaml`).sort())
    it(`takes every object of ${relative(ROOT, file)}, each field of it`, async () => {
      // The configuration of the webhook, for whose Service no node runs here, has been applied with an address of this machine.
      for (const manifest of manifestsOf(file).filter(({ kind }) => kind !== 'MutatingWebhookConfiguration'))
        await api.apply(manifest);
    });

  const create = (pod: object, namespace = 'inference', query = ''): Promise<Reply<Pod>> =>
    api.ask('POST', `/api/v1/namespaces/${namespace}/pods${query}`, pod);

  const reviews = async (): Promise<number> => {
    const text = await (await fetch(`http://${metrics}/metrics`)).text();
    const counts = [...text.matchAll(/^sentinel_injector_reviews_total\{.*\} (\d+)$/gm)].map(([, count]) =>
      Number(count),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  };

  it('a pod of the example gets the sidecar, which has the name of the port', async () => {
    const [deployment] = manifestsOf(join(FOLDER, 'examples/inference-injected.yaml')) as unknown as {
      spec: { template: { metadata: object; spec: object } };
    }[];
    const { metadata, spec } = deployment?.spec.template ?? {};
    const { status, body, warnings } = await create({ metadata: { ...metadata, name: 'llama-0' }, spec });
    assert.equal(status, 201, JSON.stringify(body));
    assert.deepEqual(warnings, []);
    const [server, sidecar] = body.spec.containers;
    assert.equal(server?.ports?.[0]?.name, undefined);
    assert.equal(sidecar?.name, 'sentinel-inference-monitor');
    assert.deepEqual([sidecar?.ports?.[0]?.name, sidecar?.ports?.[0]?.containerPort], ['http', 18_000]);
    const said = Object.fromEntries(sidecar?.env?.map(({ name, value }) => [name, value]) ?? []);
    assert.equal(said['SENTINEL_INFERENCE_MONITOR_REPLICAS_ENDPOINTS'], 'llama-peers.inference.svc:50053');
  });

  const plain = (name: string, metadata: object = {}) => ({
    metadata: { name, labels: LABEL, ...metadata },
    spec: { containers: [{ name: 'server', image: 'i', ports: [{ name: 'http', containerPort: 8000 }] }] },
  });

  it('a wrong annotation is a warning of the API server, and the pod is made without the sidecar', async () => {
    const annotations = { 'sentinel-sdc.io/framework': 'vLLM' };
    const { status, body, warnings } = await create(plain('wrong', { annotations }));
    assert.equal(status, 201);
    assert.equal(body.spec.containers.length, 1);
    assert.match(warnings.join(), /it has to be one of vllm, trtllm, triton, generic/);
  });

  it('pods that do not ask, and those of SENTINEL itself, are not even looked at', async () => {
    const before = await reviews();
    assert.equal((await create(plain('silent', { labels: {} }))).body.spec.containers.length, 1);
    assert.equal((await create(plain('own'), 'sentinel')).body.spec.containers.length, 1);
    assert.equal(await reviews(), before);
    assert.equal((await create(plain('asks'))).body.spec.containers.length, 2);
    assert.equal(await reviews(), before + 1);
  });

  it('with the injector killed pods are made all the same, without the sidecar', async () => {
    await injector.kill('SIGKILL');
    const { status, body } = await create(plain('later'));
    assert.deepEqual([status, body.spec.containers.length], [201, 1]);
  });
});

/** Of cert-manager, which is not here: its objects are stored, and nothing is made of them. */
function certificates(): Manifest {
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const spec = {
    group: 'cert-manager.io',
    names: { plural: 'certificates', singular: 'certificate', kind: 'Certificate' },
    scope: 'Namespaced',
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
  };
  const metadata = { name: 'certificates.cert-manager.io' };
  return { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata, spec } as Manifest;
}

/** The real command, and the webhook of the manifest pointed at it. */
async function applyWebhook(api: ApiServer) {
  const { process, http, metrics, caFile } = await startInjector();
  const manifests = manifestsOf(join(FOLDER, 'sidecar-injector.yaml'));
  const webhook = manifests.find(({ kind }) => kind === 'MutatingWebhookConfiguration') as Webhook | undefined;
  assert.ok(webhook);
  const caBundle = readFileSync(caFile).toString('base64');
  const clientConfig = (path: string) => ({ url: `https://${http}${path}`, caBundle });
  const webhooks = webhook.webhooks.map((each) => ({
    ...each,
    timeoutSeconds: PATIENCE_SECONDS,
    clientConfig: clientConfig(each.clientConfig.service?.path ?? ''),
  }));
  await api.apply({ ...webhook, webhooks } as Manifest);
  return { injector: process, metrics };
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '@sentinel/service-kit/logging';
import jsonPatch, { type Operation } from 'fast-json-patch';
import { injectionFor } from '../injection/inject.js';
import type { Pod } from '../injection/pod.js';
import { podOf, reviewOf, SETTINGS } from '../testing/pods.js';
import { type ListenerParts, reviewListener } from './listener.js';

interface Answer {
  readonly status: number;
  readonly body: {
    readonly response?: { uid: string; allowed: boolean; patch?: string; patchType?: string; warnings?: string[] };
    readonly field?: string;
  };
}

async function asked(body: string, parts: Partial<ListenerParts> = {}, path = '/mutate?timeout=5s') {
  const outcomes: string[] = [];
  const listener = reviewListener({
    inject: (pod) => injectionFor(pod, SETTINGS),
    onOutcome: (outcome) => outcomes.push(outcome),
    log: silentLogger(),
    ...parts,
  });
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body });
    const answer: Answer = { status: response.status, body: (await response.json()) as Answer['body'] };
    return { ...answer, outcomes };
  } finally {
    server.close();
  }
}

/** As an API server 1.34 sent it, for a pod of deploy/kubernetes/examples/inference-injected.yaml. */
const RECORDED = readFileSync(join(import.meta.dirname, '../../src/testing/admission-review.json'), 'utf8');

test('what a real API server asked is answered with a patch that fits the pod', async () => {
  const { request } = JSON.parse(RECORDED) as { request: { uid: string; object: Pod } };
  const { status, body, outcomes } = await asked(RECORDED);
  assert.deepEqual([status, body.response?.uid, outcomes], [200, request.uid, ['injected']]);
  const patch = JSON.parse(Buffer.from(body.response?.patch ?? '', 'base64').toString()) as Operation[];
  const { newDocument } = jsonPatch.applyPatch(structuredClone(request.object), patch, true);
  const [server, sidecar] = newDocument.spec.containers;
  assert.deepEqual([server?.ports?.[0]?.name, sidecar?.ports?.[0]?.name], [undefined, 'http']);
  assert.equal(server?.readinessProbe?.httpGet?.port, 8_000);
});

test('a pod that asks is answered with a patch, under the uid of the question', async () => {
  const { status, body, outcomes } = await asked(JSON.stringify(reviewOf(podOf(), 'abc')));
  assert.deepEqual([status, body.response?.uid, body.response?.allowed, outcomes], [200, 'abc', true, ['injected']]);
  assert.equal(body.response?.patchType, 'JSONPatch');
  const patch = JSON.parse(Buffer.from(body.response?.patch ?? '', 'base64').toString()) as { path: string }[];
  assert.ok(patch.some(({ path }) => path === '/spec/containers/-'));
});

test('a pod that is not injected is allowed without a patch', async () => {
  const { body } = await asked(JSON.stringify(reviewOf(podOf({ labels: {} }))));
  assert.deepEqual([body.response?.allowed, body.response?.patch], [true, undefined]);
});

test('a pod whose annotation is wrong is allowed, with a warning that the API server shows', async () => {
  const pod = podOf({ annotations: { framework: 'x'.repeat(1_000) } });
  const { body } = await asked(JSON.stringify(reviewOf(pod)));
  const [warning = ''] = body.response?.warnings ?? [];
  assert.match(warning, /^sentinel: no sidecar: annotation sentinel-sdc\.io\/framework/);
  assert.ok(warning.length <= 256);
});

test('where the injector itself fails the pod is allowed as it was', async () => {
  const inject = () => {
    throw new TypeError('a bug');
  };
  const { status, body, outcomes } = await asked(JSON.stringify(reviewOf(podOf())), { inject });
  assert.deepEqual([status, body.response?.allowed, body.response?.patch], [200, true, undefined]);
  assert.deepEqual(outcomes, ['failed']);
});

const INVALID: readonly (readonly [string, unknown, number, string | undefined])[] = [
  ['no JSON', '{', 400, undefined],
  ['another version', { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1beta1' }, 400, 'apiVersion'],
  ['no request', { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1' }, 400, 'request'],
  ['no uid', reviewOf(podOf(), ''), 400, 'request.uid'],
  ['no pod', reviewOf({}), 400, 'request.object.spec'],
  ['containers that are no list', reviewOf({ spec: { containers: 1 } }), 400, 'request.object.spec.containers'],
  ['too much', `"${'x'.repeat(5 * 1024 * 1024)}"`, 413, undefined],
];

for (const [what, body, status, field] of INVALID) {
  test(`${what}: refused, naming the field`, async () => {
    const answer = await asked(typeof body === 'string' ? body : JSON.stringify(body));
    assert.deepEqual([answer.status, answer.body.field, answer.outcomes], [status, field, ['invalid']]);
  });
}

test('other paths say where to ask', async () => {
  assert.equal((await asked('{}', {}, '/')).status, 404);
});

test('fields that are null are not there, and the patch fits them', async () => {
  const { metadata, spec } = podOf();
  const nothing = { volumeMounts: null, lifecycle: null, livenessProbe: null };
  const containers = spec.containers.map((container) => ({ ...container, ...nothing }));
  const pod = {
    metadata: { ...metadata, annotations: null },
    spec: { ...spec, containers, volumes: null, initContainers: null, restartPolicy: null },
  };
  const withTime = { ...pod, spec: { ...pod.spec, terminationGracePeriodSeconds: null } };
  const { body, outcomes } = await asked(JSON.stringify(reviewOf(withTime)));
  assert.deepEqual([outcomes, body.response?.warnings], [['injected'], undefined]);
  const patch = JSON.parse(Buffer.from(body.response?.patch ?? '', 'base64').toString()) as Operation[];
  const { newDocument } = jsonPatch.applyPatch(structuredClone(withTime) as unknown as Pod, patch, true);
  assert.equal(newDocument.spec.volumes?.length, 3);
  assert.match(JSON.stringify(newDocument), /"SENTINEL_INFERENCE_MONITOR_DRAIN_S","value":"25"/);
});

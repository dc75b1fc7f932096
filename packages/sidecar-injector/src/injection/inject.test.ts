import assert from 'node:assert/strict';
import { test } from 'node:test';
import jsonPatch from 'fast-json-patch';
import { podOf, SETTINGS, server } from '../testing/pods.js';
import { injectionFor } from './inject.js';
import type { Container, Pod } from './pod.js';

interface Sidecar extends Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[];
}

/** What Kubernetes makes of the pod. */
function injected(pod: Pod): { pod: Pod; sidecar: Sidecar; warnings: readonly string[] } {
  const { outcome, patch, warnings } = injectionFor(pod, SETTINGS);
  assert.equal(outcome, 'injected', warnings.join());
  const changed = jsonPatch.applyPatch(structuredClone(pod), structuredClone([...patch]), true).newDocument;
  const sidecar = changed.spec.containers.find(({ name }) => name === 'sentinel-inference-monitor');
  assert.ok(sidecar);
  return { pod: changed, sidecar: sidecar as Sidecar, warnings };
}

const variables = ({ env }: Sidecar) => Object.fromEntries(env.map(({ name, value }) => [name, value]));

test('the sidecar takes the name of the port over, and probes of the server keep the port', () => {
  const { pod, sidecar, warnings } = injected(podOf({ annotations: { framework: 'vllm' } }));
  assert.deepEqual(warnings, []);
  const [before] = pod.spec.containers;
  assert.deepEqual(before?.ports, [{ containerPort: 8000, protocol: 'TCP' }]);
  assert.deepEqual(before?.readinessProbe, { httpGet: { port: 8000 } });
  assert.deepEqual(sidecar.ports?.[0], { name: 'http', containerPort: 18_000 });
  const own = variables(sidecar);
  assert.equal(own['SENTINEL_INFERENCE_MONITOR_LISTEN_ADDRESS'], '[::]:18000');
  assert.equal(own['SENTINEL_INFERENCE_MONITOR_UPSTREAM_URL'], 'http://127.0.0.1:8000');
  assert.equal(own['SENTINEL_INFERENCE_MONITOR_FRAMEWORK'], 'vllm');
  assert.equal(own['SENTINEL_INFERENCE_MONITOR_SAMPLING_RATE'], '0.01');
  assert.equal(pod.metadata?.annotations?.['sentinel-sdc.io/injected'], 'true');
});

test('without TLS the monitor is told to speak plaintext, which it would refuse and let no request pass', () => {
  const sidecarOf = (tlsEnabled: boolean) => {
    const { patch } = injectionFor(podOf({ annotations: { framework: 'vllm' } }), { ...SETTINGS, tlsEnabled });
    return JSON.stringify(patch);
  };
  assert.match(sidecarOf(false), /"args":\["--insecure"\]/);
  assert.doesNotMatch(sidecarOf(true), /insecure/);
});

test('no two ports of the pod have one name or number', () => {
  const { pod } = injected(
    podOf({ annotations: { framework: 'triton' }, containers: [server({ ports: tritonPorts })] }),
  );
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  const names = ports.flatMap(({ name }) => name ?? []);
  assert.equal(new Set(names).size, names.length);
  assert.equal(new Set(ports.map(({ containerPort }) => containerPort)).size, ports.length);
});

const tritonPorts = [
  { name: 'http', containerPort: 8000 },
  { name: 'grpc', containerPort: 8001 },
  { name: 'metrics', containerPort: 8002 },
];

test('of Triton the port of gRPC is taken over as well, other names stay', () => {
  const { pod, sidecar } = injected(
    podOf({ annotations: { framework: 'triton' }, containers: [server({ ports: tritonPorts })] }),
  );
  assert.deepEqual(
    sidecar.ports?.slice(0, 2).map(({ name, containerPort }) => [name, containerPort]),
    [
      ['http', 18_000],
      ['grpc', 18_001],
    ],
  );
  assert.deepEqual(pod.spec.containers[0]?.ports?.[2], { name: 'metrics', containerPort: 8002 });
  assert.equal(variables(sidecar)['SENTINEL_INFERENCE_MONITOR_UPSTREAM_GRPC'], '127.0.0.1:8001');
});

test('the port of gRPC has many names; one without a name is told', () => {
  const taken = (port: { name?: string; containerPort: number }) => {
    const ports = [{ name: 'http', containerPort: 8000 }, port];
    const { sidecar, warnings } = injected(
      podOf({ annotations: { framework: 'triton' }, containers: [server({ ports })] }),
    );
    return [sidecar.ports?.[1]?.name, variables(sidecar)['SENTINEL_INFERENCE_MONITOR_UPSTREAM_GRPC'], warnings.length];
  };
  for (const name of ['grpc-triton', 'h2c', 'tcp-grpc', 'grpc'])
    assert.deepEqual(taken({ name, containerPort: 9001 }), [name, '127.0.0.1:9001', 0]);
  assert.deepEqual(taken({ name: 'rpc', containerPort: 8001 }), ['rpc', '127.0.0.1:8001', 0]);
  assert.deepEqual(taken({ containerPort: 8001 }), [undefined, '127.0.0.1:8001', 1]);
});

test('a part of a GPU, one of AMD and one by a claim is a GPU', () => {
  const proxy: Container = { name: 'proxy', ports: [{ name: 'http', containerPort: 80 }] };
  for (const resources of [
    { limits: { 'nvidia.com/mig-1g.10gb': 1 } },
    { limits: { 'nvidia.com/gpu.shared': 1 } },
    { limits: { 'amd.com/gpu': 1 } },
    { claims: [{ name: 'gpu' }] },
  ]) {
    const { sidecar } = injected(podOf({ containers: [proxy, server({ resources })] }));
    assert.equal(variables(sidecar)['SENTINEL_INFERENCE_MONITOR_UPSTREAM_URL'], 'http://127.0.0.1:8000');
  }
});

test('names of ports are as short as Kubernetes wants them', () => {
  const { sidecar } = injected(podOf({ annotations: { replicas: 'a:1' } }));
  for (const { name = '' } of sidecar.ports ?? []) assert.match(name, /^[a-z-]{1,15}$/);
});

test('a pod with volumes and annotations keeps them', () => {
  const volumes = [{ name: 'models' }];
  const { pod } = injected(podOf({ annotations: { 'sampling-rate': '0.5' }, spec: { volumes } }));
  assert.deepEqual(
    pod.spec.volumes?.map(({ name }) => name),
    ['models', 'sentinel-data', 'sentinel-run', 'sentinel-certs'],
  );
  assert.equal(pod.metadata?.annotations?.['sentinel-sdc.io/sampling-rate'], '0.5');
});

test('the server is the container that is named, else the one with a GPU, else the first', () => {
  const proxy: Container = { name: 'proxy', ports: [{ name: 'http', containerPort: 80 }] };
  const plain: Container = { name: 'plain', ports: [{ name: 'http', containerPort: 81 }] };
  const upstream = (annotations: Record<string, string>, containers: Container[]) =>
    variables(injected(podOf({ annotations, containers })).sidecar)['SENTINEL_INFERENCE_MONITOR_UPSTREAM_URL'];
  assert.equal(upstream({ container: 'plain' }, [proxy, plain, server()]), 'http://127.0.0.1:81');
  assert.equal(upstream({}, [proxy, server()]), 'http://127.0.0.1:8000');
  assert.equal(upstream({}, [proxy, plain]), 'http://127.0.0.1:80');
});

test('a port without a name is said: Services cannot follow it', () => {
  const { warnings, sidecar } = injected(podOf({ containers: [server({ ports: [{ containerPort: 9000 }] })] }));
  assert.match(warnings.join(), /no request passes through the sidecar/);
  assert.equal(variables(sidecar)['SENTINEL_INFERENCE_MONITOR_UPSTREAM_URL'], 'http://127.0.0.1:9000');
});

test('the library in the server reaches the socket where it is asked for', () => {
  const mount = { name: 'sentinel-run', mountPath: '/run/sentinel' };
  const annotations = { library: 'true' };
  const { pod } = injected(podOf({ annotations }));
  assert.deepEqual(pod.spec.containers[0]?.volumeMounts, [mount]);
  const volumeMounts = [{ name: 'models', mountPath: '/models' }];
  const more = injected(podOf({ annotations, containers: [server({ volumeMounts })] }));
  assert.deepEqual(more.pod.spec.containers[0]?.volumeMounts, [...volumeMounts, mount]);
});

test('other replicas are compared with where they are named', () => {
  const { sidecar } = injected(podOf({ annotations: { replicas: 'llama-peers.inference.svc:50053' } }));
  const own = variables(sidecar);
  assert.equal(own['SENTINEL_INFERENCE_MONITOR_REPLICAS_ENDPOINTS'], 'llama-peers.inference.svc:50053');
  assert.equal(own['SENTINEL_INFERENCE_MONITOR_REPLICAS_LISTEN_ADDRESS'], '[::]:50053');
});

test('who does not ask, or has it, stays as it is', () => {
  assert.deepEqual(injectionFor(podOf({ labels: {} }), SETTINGS), { outcome: 'not_asked', patch: [], warnings: [] });
  const again = podOf({ containers: [server(), { name: 'sentinel-inference-monitor' }] });
  assert.equal(injectionFor(again, SETTINGS).outcome, 'present');
  const { pod } = injected(podOf());
  assert.equal(injectionFor(pod, SETTINGS).outcome, 'present');
});

test('hooks of the server that name its port keep the number, as probes do', () => {
  const lifecycle = {
    postStart: { httpGet: { port: 'http', path: '/warm' } },
    preStop: { exec: { command: ['drain'] }, tcpSocket: { port: 'http' } },
  };
  const { pod } = injected(podOf({ containers: [server({ lifecycle })] }));
  assert.deepEqual(pod.spec.containers[0]?.lifecycle, {
    postStart: { httpGet: { port: 8000, path: '/warm' } },
    preStop: { exec: { command: ['drain'] }, tcpSocket: { port: 8000 } },
  });
});

test('requests in flight have the time that the pod gives them', () => {
  for (const [graceS, drainS] of [
    [undefined, '25'],
    [600, '595'],
    [8, '4'],
    [2, '1'],
    [86_400, '3600'],
  ] as const) {
    const spec = graceS === undefined ? {} : { terminationGracePeriodSeconds: graceS };
    assert.equal(variables(injected(podOf({ spec })).sidecar)['SENTINEL_INFERENCE_MONITOR_DRAIN_S'], drainS);
  }
});

test('a sidecar among the init containers is one too', () => {
  const initContainers = [{ name: 'sentinel-inference-monitor' }];
  assert.equal(injectionFor(podOf({ spec: { initContainers } }), SETTINGS).outcome, 'present');
});

test('of a Triton with gRPC alone the port of gRPC moves, and nothing is missed', () => {
  const ports = [{ name: 'h2c', containerPort: 9000 }];
  const { sidecar, warnings } = injected(
    podOf({ annotations: { framework: 'triton' }, containers: [server({ ports, readinessProbe: {} })] }),
  );
  assert.deepEqual([sidecar.ports?.[1], warnings], [{ name: 'h2c', containerPort: 18_001 }, []]);
  const own = variables(sidecar);
  assert.equal(own['SENTINEL_INFERENCE_MONITOR_UPSTREAM_URL'], 'http://127.0.0.1:8000');
  assert.equal(own['SENTINEL_INFERENCE_MONITOR_UPSTREAM_GRPC'], '127.0.0.1:9000');
});

test('an annotation that is mistyped is told', () => {
  const { warnings } = injected(podOf({ annotations: { sampling_rate: '1' } }));
  assert.deepEqual(warnings, ['annotation sentinel-sdc.io/sampling_rate is none that the injector knows']);
});

const REFUSED: readonly (readonly [Parameters<typeof podOf>[0], RegExp])[] = [
  [{ annotations: { framework: 'vLLM' } }, /framework is "vLLM": it has to be one of vllm, trtllm, triton, generic/],
  [{ annotations: { 'sampling-rate': '2' } }, /sampling-rate .* a number from 0 to 1/],
  [{ annotations: { 'sampling-rate': '' } }, /sampling-rate/],
  [{ annotations: { port: 'https' } }, /a port of the container/],
  [{ annotations: { port: '99999' } }, /1 to 65535/],
  [{ annotations: { port: '9093' } }, /the server listens on 9093 itself, which the sidecar needs/],
  [{ annotations: { port: '18000' } }, /the server listens on 18000 itself: set annotation/],
  [{ annotations: { replicas: 'a:0' } }, /HOST:PORT/],
  [{ annotations: { 'sampling-rate': '0x1' } }, /a number from 0 to 1/],
  [{ containers: [server({ ports: [{ name: 'grpc', containerPort: 8001 }] })] }, /ports for gRPC and metrics alone/],
  [{ annotations: { container: 'x' } }, /one of the containers of the pod \(server\)/],
  [{ annotations: { library: 'yes' } }, /"true" or "false"/],
  [{ annotations: { replicas: 'peers' } }, /HOST:PORT/],
  [{ annotations: { 'listen-port': '8000' } }, /listens on 8000 itself/],
  [{ containers: [server({ ports: [{ name: 'http', containerPort: 18_000 }] })] }, /listen-port to another/],
  [{ spec: { hostNetwork: true } }, /network of its host/],
  [{ spec: { os: { name: 'windows' } } }, /of Windows/],
  [{ annotations: { 'listen-port': '65535' } }, /1 to 65534/],
  [{ spec: { volumes: [{ name: 'sentinel-run' }] } }, /volume sentinel-run/],
  [{ containers: [] }, /no container/],
  [{ spec: { restartPolicy: 'Never' } }, /to end by itself \(restartPolicy Never\)/],
  [{ annotations: { 'listen-port': '9093' } }, /the sidecar listens on 9093 for something else/],
  [
    { spec: { initContainers: [{ name: 'proxy', ports: [{ containerPort: 18_000 }] }] } },
    /container proxy listens on 18000/,
  ],
  [
    { containers: [server(), { name: 'exporter', ports: [{ containerPort: 9_093 }] }] },
    /9093 itself, which the sidecar/,
  ],
  [
    { annotations: { replicas: 'a:1' }, containers: [server(), { name: 'x', ports: [{ containerPort: 50_053 }] }] },
    /50053 itself, which the sidecar needs/,
  ],
  [
    {
      annotations: { library: 'true' },
      containers: [server({ volumeMounts: [{ name: 'host-run', mountPath: '/run/sentinel/' }] })],
    },
    /mounts host-run at \/run\/sentinel itself/,
  ],
];

for (const [parts, expected] of REFUSED) {
  test(`the creator is told, and the pod stays as it was: ${expected.source}`, () => {
    const { outcome, patch, warnings } = injectionFor(podOf(parts), SETTINGS);
    assert.deepEqual([outcome, patch], ['refused', []]);
    assert.match(warnings.join(), expected);
  });
}

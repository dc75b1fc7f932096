import assert from 'node:assert/strict';
import { test } from 'node:test';
import { server } from '../testing/pods.js';
import type { ContainerPort } from './pod.js';
import { ServerPorts } from './ports.js';

const port = (containerPort: number, name?: string, protocol?: string): ContainerPort => ({
  containerPort,
  ...(name === undefined ? {} : { name }),
  ...(protocol === undefined ? {} : { protocol }),
});
const numbers = (ports: ContainerPort[], framework: 'triton' | 'generic'): [http?: number, grpc?: number] => {
  const found = new ServerPorts(server({ ports }), framework === 'triton');
  return [found.http?.number, found.grpc?.number] as [number?, number?];
};

const CASES: readonly (readonly [string, ContainerPort[], ReturnType<typeof numbers>])[] = [
  ['gRPC first, HTTP by another name', [port(8001, 'grpc'), port(8000, 'http-triton')], [8000, 8001]],
  ['gRPC alone, as of KServe', [port(9000, 'h2c')], [8000, 9000]],
  ['gRPC alone, without a name', [port(8001)], [8000, 8001]],
  ['metrics first', [port(8002, 'metrics'), port(8000, 'api'), port(8001)], [8000, 8001]],
  ['metrics without a name', [port(8002), port(8080), port(8001)], [8080, 8001]],
  ['gRPC alone where KServe has it, without a name', [port(9000)], [8000, 9000]],
  ['a name that only begins so', [port(8001, 'grpcport'), port(8080, 'api')], [8080, 8001]],
  ['a name that says HTTP on a number of gRPC', [port(8001, 'http'), port(8500, 'grpc')], [8001, 8500]],
];
for (const [what, ports, expected] of CASES)
  test(`of Triton: ${what}`, () => assert.deepEqual(numbers(ports, 'triton'), expected));

test('of other servers the port of HTTP is the one that is called so, the usual one, the first; gRPC and metrics are none', () => {
  const http = (...ports: ContainerPort[]) => numbers(ports, 'generic')[0];
  assert.equal(http(port(7000, 'admin'), port(9000, 'http')), 9000);
  assert.equal(http(port(7000, 'admin'), port(9000, 'api-http')), 9000);
  assert.equal(http(port(7000), port(8000)), 8000);
  assert.equal(http(port(7000), port(7001)), 7000);
  assert.equal(http(port(8000, 'quic', 'UDP'), port(7001)), 7001);
  assert.equal(http(port(8001)), 8001);
  assert.equal(http(port(8001, 'grpc1'), port(8080, 'api')), 8080);
  assert.equal(http(port(8080, 'prompts')), 8080);
  assert.equal(http(), 8000);
  assert.equal(http(port(9090, 'prometheus'), port(50_051, 'grpc')), undefined);
});

test('what the annotation says is taken, unless it is a port of gRPC or none of TCP', () => {
  const ports = new ServerPorts(server({ ports: [port(1, 'grpc'), port(2, 'api'), port(3, 'quic', 'UDP')] }), false);
  assert.deepEqual(ports.said('api'), { number: 2, name: 'api', isDeclared: true });
  assert.deepEqual(ports.said('2'), { number: 2, name: 'api', isDeclared: true });
  assert.deepEqual(ports.said('4'), { number: 4, name: null, isDeclared: false });
  assert.deepEqual(
    [ports.said('1'), ports.said('grpc'), ports.said('quic'), ports.said('x')],
    [null, null, null, null],
  );
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { credentials, loadPackageDefinition, Metadata, makeGenericClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { service as healthService } from 'grpc-health-check';
import { pino } from 'pino';
import { SentinelError } from './errors.js';
import type { ServiceEntry } from './grpc-server.js';
import { caller, resultStream } from './testing/client.js';
import { MAX_MESSAGE_BYTES, NOTHING_DONE, TOKENS, testServer, testServices } from './testing/server.js';

describe('calls', () => {
  test('a refusal arrives whole', async () => {
    const refusal = new SentinelError({
      code: 'FAILED_PRECONDITION',
      reason: 'ILLEGAL_TRANSITION',
      message: 'a HEALTHY GPU cannot be reinstated: é',
      field: 'action',
      retryAfterMs: 1_500,
      hint: 'Quarantine it first.',
    });
    await using server = await testServer({ services: testServices(() => Promise.reject(refusal)) });
    using operator = caller(server.address);
    assert.deepEqual((await operator.refusal()).toJson(), refusal.toJson());
  });

  test('an error that nobody foresaw is logged whole and told without its content', async () => {
    const lines: string[] = [];
    const log = pino({}, { write: (line) => void lines.push(line) });
    const services = testServices(() => {
      throw new Error('password is hunter2');
    }, log);
    await using server = await testServer({ services });
    using operator = caller(server.address);
    const told = await operator.refusal();
    assert.deepEqual([told.code, told.message], ['INTERNAL', 'internal error']);
    assert.match(lines.join(), /unexpected error in a call/);
    assert.ok(!told.sentence.includes('hunter2') && lines.join().includes('hunter2'));
  });
});

describe('authorisation', () => {
  test('an order needs the right identity, and refusals are counted', async () => {
    const refused: string[] = [];
    await using server = await testServer({ onRefused: ({ reason }) => void refused.push(reason) });
    const outcome = async (token: string): Promise<string> => {
      using someone = caller(server.address, { token });
      return await someone.order().then(
        () => 'taken',
        (error: unknown) => SentinelError.from(error).code,
      );
    };
    assert.equal(await outcome(TOKENS.operator), 'taken');
    assert.equal(await outcome(''), 'UNAUTHENTICATED');
    assert.equal(await outcome('guess'), 'UNAUTHENTICATED');
    assert.equal(await outcome(TOKENS.service), 'PERMISSION_DENIED');
    assert.deepEqual(refused, ['CREDENTIALS_MISSING', 'CREDENTIALS_INVALID', 'ROLE_NOT_ALLOWED']);
  });

  test('a wrong token is refused even where none is needed', async () => {
    await using server = await testServer();
    using stream = resultStream(server.address, 'guess');
    assert.equal((await stream.ended)?.reason, 'CREDENTIALS_INVALID');
  });

  test('a method without an entry or without an implementation stops the start', async () => {
    const [orders, results] = testServices() as [ServiceEntry, ServiceEntry];
    const noEntry = { ...results, roles: { StreamProbeResults: 'anyone' } } as const;
    await assert.rejects(testServer({ services: [orders, noEntry] }), /AgentControl has no authorisation entry/);
    const noCode = { ...orders, implementation: {} };
    await assert.rejects(testServer({ services: [noCode] }), /IssueDirective has no implementation/);
  });
});

describe('limits', () => {
  test('a message that is too large is refused with its reason, and the next call is served', async () => {
    const refused: string[] = [];
    await using server = await testServer({ onRefused: ({ reason }) => void refused.push(reason) });
    using operator = caller(server.address);
    const error = await operator.refusal({ reason: 'x'.repeat(MAX_MESSAGE_BYTES + 1) });
    assert.deepEqual([error.code, error.reason], ['RESOURCE_EXHAUSTED', 'TOO_LARGE']);
    assert.match(error.hint, new RegExp(`at most ${MAX_MESSAGE_BYTES} bytes`));
    await operator.order({ reason: 'x'.repeat(MAX_MESSAGE_BYTES - 100) });
    assert.deepEqual(refused, ['TOO_LARGE']);
  });

  test('a stream that sends too much ends, other streams notice nothing', async () => {
    await using server = await testServer();
    using good = resultStream(server.address);
    using bad = resultStream(server.address);
    assert.equal(await bad.send(1n), 1n);
    void bad.send(2n, new Uint8Array(MAX_MESSAGE_BYTES + 1));
    assert.equal((await bad.ended)?.reason, 'TOO_LARGE');
    assert.equal(await good.send(7n), 7n);
  });

  test('bytes that are no message of this kind are INVALID_ARGUMENT', async () => {
    const refused: string[] = [];
    await using server = await testServer({ onRefused: ({ reason }) => void refused.push(reason) });
    const raw = (value: Buffer): Buffer => value;
    const method = {
      path: '/sentinel.v1.QuarantineService/IssueDirective',
      requestStream: false,
      responseStream: false,
      requestSerialize: raw,
      requestDeserialize: raw,
      responseSerialize: raw,
      responseDeserialize: raw,
    };
    const client = new (makeGenericClientConstructor({}, 'raw'))(server.address, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${TOKENS.operator}`);
    const error = await new Promise<unknown>((resolve) => {
      client.makeUnaryRequest(method.path, raw, raw, Buffer.from([0x0a, 0xff, 0x01]), metadata, resolve);
    });
    const told = SentinelError.from(error);
    assert.deepEqual([told.code, told.reason], ['INVALID_ARGUMENT', 'MALFORMED']);
    assert.deepEqual(refused, ['MALFORMED']);
    client.close();
  });
});

describe('start', () => {
  test('a taken port is said with the setting', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    await assert.rejects(testServer({ address }), (error: unknown) => {
      assert.ok(error instanceof SentinelError);
      assert.deepEqual([error.code, error.field], ['UNAVAILABLE', 'correlation_engine.listen_address']);
      assert.equal(
        error.sentence,
        `gRPC cannot listen on ${address} (another process has the port). Stop the other process, or set correlation_engine.listen_address to a free address.`,
      );
      return true;
    });
    other.close();
  });

  test('plaintext beyond loopback needs --insecure', async () => {
    await assert.rejects(testServer({ address: '0.0.0.0:0' }), (error: unknown) => {
      assert.ok(error instanceof SentinelError);
      assert.equal(error.field, 'correlation_engine.listen_address');
      assert.match(error.sentence, /reachable from other machines.*--insecure/);
      return true;
    });
    await using server = await testServer({ address: '0.0.0.0:0', insecure: true });
    using operator = caller(server.address.replace('0.0.0.0', '127.0.0.1'));
    await operator.order();
  });
});

describe('health and reflection', () => {
  const Health = makeGenericClientConstructor(healthService, 'grpc.health.v1.Health');

  test('health answers for the server and each service, and follows setServing', async () => {
    await using server = await testServer();
    const client = new Health(server.address, credentials.createInsecure());
    const status = (service: string): Promise<unknown> =>
      new Promise((resolve) => {
        client.check?.({ service }, (error: { code: number } | null, answer?: { status: string }) =>
          resolve(answer?.status ?? error?.code),
        );
      });
    for (const service of ['', 'sentinel.v1.QuarantineService', 'sentinel.v1.ProbeService']) {
      assert.equal(await status(service), 'SERVING', service);
    }
    assert.equal(await status('sentinel.v1.NoSuchService'), 5);
    server.setServing(false);
    assert.equal(await status(''), 'NOT_SERVING');
    client.close();
  });

  test('reflection lists the services of this port, no others', async () => {
    await using server = await testServer();
    const proto = new URL(
      'proto/grpc/reflection/v1/reflection.proto',
      import.meta.resolve('@grpc/reflection'),
    ).pathname.replace('/src/', '/');
    const loaded = loadPackageDefinition(loadSync(proto)) as unknown as {
      grpc: { reflection: { v1: { ServerReflection: ReturnType<typeof makeGenericClientConstructor> } } };
    };
    const client = new loaded.grpc.reflection.v1.ServerReflection(server.address, credentials.createInsecure());
    const call = client.ServerReflectionInfo?.();
    call.write({ listServices: '' });
    const [answer] = await once(call, 'data');
    const names = (answer.listServicesResponse.service as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(names.sort(), ['sentinel.v1.ProbeService', 'sentinel.v1.QuarantineService']);
    call.end();
    client.close();
  });
});

describe('drain', () => {
  test('a call under way ends well, a stream that lives on is cut at the deadline, new calls find nobody', async () => {
    const entered = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const services = testServices(async () => {
      entered.resolve();
      await finish.promise;
      return NOTHING_DONE;
    });
    const server = await testServer({ services });
    using operator = caller(server.address);
    using stream = resultStream(server.address);
    await stream.send(1n);
    const underWay = operator.order();
    await entered.promise;
    const start = performance.now();
    const stopped = server.stop();
    setImmediate(() => finish.resolve());
    await underWay;
    await stopped;
    assert.ok(performance.now() - start < 30_000);
    assert.equal((await stream.ended)?.code, 'CANCELLED');
    using late = caller(server.address);
    assert.equal((await late.refusal({}, 30_000)).code, 'UNAVAILABLE');
  });
});

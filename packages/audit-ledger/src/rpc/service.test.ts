/** The service as processes meet it: gRPC and HTTP of a real writer. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  type AuditServiceClient,
  AuditType,
  type IngestEventsResponse,
} from '@sentinel/contracts/sentinel/v1/audit.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary } from '@sentinel/service-kit/grpc-client';
import { BACKENDS, type TestPlace } from '../testing/backends.js';
import { clientOf, commitEvents, eventOf, wholeTrail } from '../testing/wire.js';
import { OPERATOR_TOKEN, type WriterAddresses, WriterProcess } from '../testing/writer-process.js';
import {
  httpSource,
  openCheckpoint,
  parseVerifierKey,
  SourceError,
  verifyConsistency,
  verifyInclusion,
  verifyLog,
} from '../verify/index.js';

const requestOf = (events: ReturnType<typeof eventOf>[]) => ({
  producer: 'engine/1',
  producerEpoch: 1n,
  firstSequence: 0n,
  events,
});
async function refusal(call: Promise<unknown>): Promise<SentinelError> {
  try {
    await call;
  } catch (error) {
    return SentinelError.from(error);
  }
  throw new Error('was not refused');
}

/** Of a request target that fetch would not send. */
async function statusOf(address: string, target: string): Promise<number | undefined> {
  const { hostname, port } = new URL(`http://${address}`);
  const request = get({ hostname, port, path: target });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

for (const kind of BACKENDS) {
  describe(`a log in ${kind.name}`, { skip: kind.skip }, () => {
    let writer: WriterProcess;
    let at: WriterAddresses;
    let place: TestPlace;
    let client: AuditServiceClient;
    before(async () => {
      place = kind.make();
      writer = new WriterProcess(place.settings);
      at = await writer.start();
      client = clientOf(at.grpc);
    });
    after(async () => {
      client.close();
      await writer[Symbol.asyncDispose]();
      await place.remove();
    });

    const key = () => parseVerifierKey(writer.verifierKey);

    describe('AuditService', () => {
      it('takes events and proves them', async () => {
        const events = Array.from({ length: 300 }, (_, n) => eventOf(n));
        const { seqs, checkpoint } = await commitEvents(client, requestOf(events));
        const old = openCheckpoint(checkpoint, key());
        assert.equal(old.size, Number(seqs.at(-1)) + 1);
        const again = await commitEvents(client, requestOf(events));
        assert.deepEqual(again.seqs, seqs);

        const seq = seqs[7] ?? 0n;
        const proof = await callUnary(client, client.getInclusionProof, { seq, treeSize: BigInt(old.size) });
        assert.ok(verifyInclusion(proof.leaf, Number(seq), old, proof.hashes));
        await commitEvents(client, { ...requestOf([eventOf(1000)]), firstSequence: 300n });
        const consistency = await callUnary(client, client.getConsistencyProof, {
          oldSize: BigInt(old.size),
          newSize: 0n,
        });
        assert.ok(verifyConsistency(old, openCheckpoint(consistency.checkpoint, key()), consistency.hashes));
        assert.equal((await callUnary(client, client.getCheckpoint, {})).verifierKey, writer.verifierKey);
        assert.ok((await callUnary(client, client.verifyChain, { depth: 0n })).ok);
      });

      it('answers a stream in order', async () => {
        const call = client.ingestStream();
        const answers: IngestEventsResponse[] = [];
        const done = new Promise<void>((resolve, reject) => {
          call.on('data', ({ result }) => answers.push(result));
          call.on('end', resolve);
          call.on('error', reject);
        });
        for (let i = 0; i < 50; i += 1) {
          call.write({
            batch: {
              producer: 'stream/1',
              producerEpoch: 0n,
              firstSequence: 0n,
              events: [eventOf(5000 + 2 * i), eventOf(5001 + 2 * i)],
            },
          });
        }
        call.end();
        await done;
        const seqs = answers.flatMap((answer) => answer.seqs);
        assert.equal(seqs.length, 100);
        assert.deepEqual(
          seqs,
          seqs.toSorted((a, b) => Number(a - b)),
        );
      });

      it('finds by GPU, type and time, in pages, both ways', async () => {
        const whole = await wholeTrail(client);
        const gpu = whole.filter((entry) => entry.gpu === 'GPU-3').map(({ seq }) => seq);
        const query = {
          gpu: 'GPU-3',
          type: 3 as const,
          startUs: 0n,
          endUs: 0n,
          limit: 7,
          pageToken: '',
          oldestFirst: false,
        };
        const found: bigint[] = [];
        for (let pageToken = '', first = true; first || pageToken !== ''; first = false) {
          const page = await callUnary(client, client.queryAuditTrail, { ...query, pageToken });
          found.push(...page.entries.map(({ seq }) => seq));
          pageToken = page.nextPageToken;
        }
        assert.deepEqual(found, gpu.toReversed());
        const startUs = 1_700_000_000_000_010n;
        const window = await callUnary(client, client.queryAuditTrail, {
          ...query,
          gpu: '',
          startUs,
          endUs: startUs + 5n,
        });
        assert.equal(window.entries.length, 5);
        const injected = { ...eventOf(7777), injected: true };
        await commitEvents(client, { ...requestOf([injected]), producerEpoch: 0n });
        const [newest] = (await callUnary(client, client.queryAuditTrail, { ...query, gpu: injected.gpu, limit: 1 }))
          .entries;
        assert.equal(newest?.injected, true);
      });

      it('refuses what is not right, naming the field', async () => {
        const good = eventOf(9000);
        const detail = (text: string) => requestOf([{ ...good, detail: Buffer.from(text) }]);
        for (const [request, field] of [
          [{ ...requestOf([good]), producer: '' }, 'producer'],
          [{ ...requestOf([good]), producer: 'ledger' }, 'producer'],
          [requestOf([]), 'events'],
          [requestOf([{ ...good, eventId: Buffer.alloc(15) }]), 'events[0].event_id'],
          [requestOf([{ ...good, type: 0 }]), 'events[0].type'],
          [
            requestOf([{ ...good, type: AuditType.SYSTEM, detail: Buffer.from('{"event":"seal"}') }]),
            'events[0].detail',
          ],
          [{ ...requestOf([good, eventOf(9001)]), firstSequence: 2n ** 53n - 1n }, 'first_sequence'],
          [requestOf([{ ...good, gpu: 'x'.repeat(256) }]), 'events[0].gpu'],
          [requestOf([{ ...good, eventUs: 2n ** 60n }]), 'events[0].event_us'],
          [detail('{"event": "x"}'), 'events[0].detail'],
          [detail('{"a":1}'), 'events[0].detail'],
          [detail('[]'), 'events[0].detail'],
        ] as const) {
          const error = await refusal(commitEvents(client, request as ReturnType<typeof requestOf>));
          assert.deepEqual([error.code, error.field], ['INVALID_ARGUMENT', field]);
        }
        const conflict = await refusal(commitEvents(client, requestOf([{ ...eventOf(1), gpu: 'other' }])));
        assert.deepEqual([conflict.code, conflict.reason], ['ALREADY_EXISTS', 'CONFLICT']);
        assert.equal(
          (await refusal(callUnary(client, client.getInclusionProof, { seq: 10n ** 9n, treeSize: 0n }))).code,
          'NOT_FOUND',
        );
      });

      it('lets components write and anyone read', async () => {
        for (const [token, code] of [
          ['', 'UNAUTHENTICATED'],
          [OPERATOR_TOKEN, 'PERMISSION_DENIED'],
        ] as const) {
          const other = clientOf(at.grpc, token);
          assert.equal((await refusal(commitEvents(other, requestOf([eventOf(1)])))).code, code);
          assert.notEqual((await callUnary(other, other.getCheckpoint, {})).checkpoint, '');
          other.close();
        }
      });
    });

    describe('HTTP', () => {
      it('serves a log that verifies, details included', async () => {
        const report = await verifyLog(httpSource(`http://${at.http}`, fetch), key());
        assert.deepEqual(report.findings, []);
        assert.ok(report.entries > 400 && report.details === report.entries);
        await assert.rejects(verifyLog(httpSource('http://127.0.0.1:1', fetch), key()), SourceError);
      });

      it('lets full tiles be kept for ever, and only those', async () => {
        const full = await fetch(`http://${at.http}/tile/0/000`);
        assert.match(full.headers.get('cache-control') ?? '', /immutable/);
        assert.equal((await full.arrayBuffer()).byteLength, 256 * 32);
        assert.equal((await fetch(`http://${at.http}/tile/entries/001.p/1`)).status, 200);
        assert.equal((await fetch(`http://${at.http}/checkpoint`)).headers.get('cache-control'), 'no-cache');
        for (const path of ['tile/0/999', 'tile/0/0', 'tile/9/000', 'tile/entries/../000', 'nothing']) {
          assert.equal((await fetch(`http://${at.http}/${path}`)).status, 404, path);
        }
        assert.equal((await fetch(`http://${at.http}/checkpoint`, { method: 'POST' })).status, 405);
        assert.equal(await statusOf(at.http, '//['), 400);
      });

      it('refuses pages of other origins', async () => {
        const answer = await fetch(`http://${at.http}/checkpoint`, {
          headers: { origin: 'https://elsewhere.example' },
        });
        assert.equal(answer.status, 403);
        assert.match(await answer.text(), /audit_ledger\.http\.allowed_origins/);
      });

      it('counts on the metrics port', async () => {
        const text = await (await fetch(`http://${at.metrics}/metrics`)).text();
        for (const name of [
          'entries_total',
          'batch_duration_seconds_count',
          'chain_verified',
          'chain_length',
          'pending_entries',
          'storage_bytes',
        ]) {
          assert.match(text, new RegExp(`^sentinel_audit_${name} \\d`, 'm'));
        }
      });
    });

    describe('commands', () => {
      it('a second writer ends with a sentence that names the first', async () => {
        await using second = new WriterProcess({
          ...place.settings,
          signing_key_path: join(writer.folder, 'ledger.key'),
        });
        const sentence = `another (process|writer) uses .*process ${writer.pid}`;
        await assert.rejects(second.start(), new RegExp(`the writer ended with 1: .*${sentence}`, 's'));
      });

      it('verify, proof and fsck read a log that is being written', async () => {
        for (const args of [['verify', '--full'], ['verify', '--depth', '10'], ['proof', '3'], ['fsck']]) {
          const { code, output } = await writer.run(...args);
          assert.equal(code, 0, output);
        }
        assert.equal((await writer.run('verify')).code, 2);
        assert.equal((await writer.run('proof', '123456')).code, 1);
        const nowhere = `data_dir=${writer.folder}/nowhere`;
        const elsewhere = await writer.run(
          'verify',
          '--full',
          '--override',
          nowhere,
          '--override',
          'storage.backend=file',
        );
        assert.equal(elsewhere.code, 69, elsewhere.output);
      });
    });
  });
}

/** A reader as a process beside its writer: what it serves, what it refuses, and what makes it stop for good. */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { SentinelError } from '@sentinel/service-kit/errors';
import { callUnary } from '@sentinel/service-kit/grpc-client';
import { eventually } from '@sentinel/test-kit';
import { clientOf, commitEvents, eventOf, wholeTrail } from '../testing/wire.js';
import { type LedgerProcess, readerOf, type WriterAddresses, WriterProcess } from '../testing/writer-process.js';
import { httpSource, openCheckpoint, parseVerifierKey, verifyConsistency, verifyLog } from '../verify/index.js';
import { judgeEvidence, parseEvidence } from './fork-evidence.js';

async function ingest(address: string, first: number, count: number): Promise<number> {
  const client = clientOf(address);
  const events = Array.from({ length: count }, (_, n) => eventOf(first + n));
  const request = { producer: 'test/1', producerEpoch: 0n, firstSequence: 0n, events };
  const { seqs } = await commitEvents(client, request);
  client.close();
  return Number(seqs.at(-1)) + 1;
}

const until = (condition: () => boolean | Promise<boolean>): Promise<boolean> =>
  eventually(condition, { what: String(condition) });

const health = async (at: WriterAddresses): Promise<{ status: number; body: { entries?: number; status: string } }> => {
  const answer = await fetch(`http://${at.http}/health`);
  return { status: answer.status, body: (await answer.json()) as { entries?: number; status: string } };
};
const reaches = (at: WriterAddresses, size: number) => until(async () => (await health(at)).body.entries === size);

async function refusal(call: Promise<unknown>): Promise<SentinelError> {
  return await call.then(
    () => assert.fail('was not refused'),
    (error: unknown) => SentinelError.from(error),
  );
}

describe('a reader', () => {
  let writer: WriterProcess;
  let reader: LedgerProcess;
  let at: { writer: WriterAddresses; reader: WriterAddresses };
  let size: number;
  before(async () => {
    writer = new WriterProcess();
    reader = readerOf(writer);
    at = { writer: await writer.start(), reader: await reader.start() };
    size = await ingest(at.writer.grpc, 0, 700);
    await reaches(at.reader, size);
  });
  after(async () => {
    await reader[Symbol.asyncDispose]();
    await writer[Symbol.asyncDispose]();
  });

  it('answers as the writer does, and what it serves verifies from outside', async () => {
    const [ours, theirs] = [clientOf(at.reader.grpc), clientOf(at.writer.grpc)];
    assert.deepEqual(await wholeTrail(ours), await wholeTrail(theirs));
    assert.deepEqual(await wholeTrail(ours, 'GPU-3'), await wholeTrail(theirs, 'GPU-3'));
    assert.deepEqual(await callUnary(ours, ours.getCheckpoint, {}), await callUnary(theirs, theirs.getCheckpoint, {}));
    const question = { seq: 300n, treeSize: 0n };
    assert.deepEqual(
      await callUnary(ours, ours.getInclusionProof, question),
      await callUnary(theirs, theirs.getInclusionProof, question),
    );
    assert.ok((await callUnary(ours, ours.verifyChain, { depth: 0n })).ok);
    const report = await verifyLog(httpSource(`http://${at.reader.http}`, fetch), parseVerifierKey(writer.verifierKey));
    assert.deepEqual([report.findings, report.details], [[], size]);
    ours.close();
    theirs.close();
  });

  it('follows, and each checkpoint extends the one before', async () => {
    const client = clientOf(at.reader.grpc);
    const key = parseVerifierKey(writer.verifierKey);
    let known = openCheckpoint((await callUnary(client, client.getCheckpoint, {})).checkpoint, key);
    for (let round = 1; round <= 3; round += 1) {
      size = await ingest(at.writer.grpc, 1000 * round, 40);
      await reaches(at.reader, size);
      const question = { oldSize: BigInt(known.size), newSize: 0n };
      const { checkpoint, hashes } = await callUnary(client, client.getConsistencyProof, question);
      const next = openCheckpoint(checkpoint, key);
      assert.ok(next.size === size && verifyConsistency(known, next, hashes));
      known = next;
    }
    assert.equal((await wholeTrail(client)).length, size);
    client.close();
  });

  it('changes nothing, and says who does', async () => {
    const client = clientOf(at.reader.grpc);
    const request = { producer: 'test/1', producerEpoch: 0n, firstSequence: 0n, events: [eventOf(5)] };
    const error = await refusal(commitEvents(client, request));
    assert.equal(error.code, 'FAILED_PRECONDITION');
    assert.match(error.sentence, /reader .* changes nothing.*writer of sentinel\/test at audit-ledger:50052/);
    const call = client.ingestStream();
    const ended = new Promise<SentinelError>((resolve) =>
      call.on('error', (failure) => resolve(SentinelError.from(failure))),
    );
    call.on('data', () => undefined);
    call.write({ batch: request });
    assert.equal((await ended).code, 'FAILED_PRECONDITION');
    client.close();
  });

  it('goes on through a restart of its writer, and of itself', async () => {
    await writer.signal('SIGKILL');
    at = { ...at, writer: await writer.start() };
    size = await ingest(at.writer.grpc, 9000, 10);
    await reaches(at.reader, size);
    assert.equal(await reader.signal('SIGTERM'), 0);
    at = { ...at, reader: await reader.start() };
    assert.equal((await health(at.reader)).body.entries, size);
    const metrics = await (await fetch(`http://${at.reader.metrics}/metrics`)).text();
    assert.match(metrics, /^sentinel_audit_fork_detected 0$/m);
    assert.match(metrics, /^sentinel_audit_reader_serving 1$/m);
    assert.match(metrics, new RegExp(`^sentinel_audit_chain_length ${size}$`, 'm'));
  });

  it('serves nothing that is not what was signed', async () => {
    const segment = join(writer.dataFolder, 'details/0000000001.seg');
    const whole = readFileSync(segment);
    const altered = Buffer.from(whole);
    altered[altered.length - 20] = (altered[altered.length - 20] ?? 0) ^ 1;
    writeFileSync(segment, altered);
    const client = clientOf(at.reader.grpc);
    const newest = { gpu: '', type: 0 as const, startUs: 0n, endUs: 0n, limit: 1, pageToken: '', oldestFirst: false };
    const error = await refusal(callUnary(client, client.queryAuditTrail, newest));
    assert.equal(error.code, 'DATA_LOSS');
    writeFileSync(segment, whole);
    assert.equal((await callUnary(client, client.queryAuditTrail, newest)).entries.length, 1);
    client.close();
  });

  it('needs a key that somebody pinned, and refuses another', async () => {
    const none = readerOf(writer, { verifier_key: '' });
    const { code, output } = await none.run();
    assert.equal(code, 78, output);
    assert.match(output, /no key to verify the log by .*audit_ledger\.verifier_key/);
    await none[Symbol.asyncDispose]();
  });
});

describe('a reader that meets a log which contradicts what it served', () => {
  /** Two logs by one key that have their first entries in common, and a reader that served the first. */
  async function forked(after: (writer: WriterProcess, copy: string) => Promise<void>): Promise<LedgerProcess> {
    await using writer = new WriterProcess();
    const first = await writer.start();
    await ingest(first.grpc, 0, 20);
    await writer.signal('SIGTERM');
    const copy = join(writer.folder, 'copy');
    cpSync(writer.dataFolder, copy, { recursive: true });
    cpSync(`${writer.dataFolder}.guard`, `${copy}.guard`);
    const second = await writer.start();
    const size = await ingest(second.grpc, 100, 5);
    await using stack = new AsyncDisposableStack();
    const reader = stack.use(readerOf(writer));
    await reaches(await reader.start(), size);
    // It was away while the log was replaced.
    await reader.signal('SIGTERM');
    await writer.signal('SIGTERM');
    await after(writer, copy);
    const at = await reader.start();
    await until(() => /CRITICAL: the log is forked or was rolled back/.test(reader.output));
    assert.equal((await health(at)).status, 503);
    const metrics = await (await fetch(`http://${at.metrics}/metrics`)).text();
    assert.match(metrics, /^sentinel_audit_fork_detected 1$/m);
    const client = clientOf(at.grpc);
    assert.equal((await refusal(callUnary(client, client.getCheckpoint, {}))).code, 'DATA_LOSS');
    client.close();
    const checkpoint = await fetch(`http://${at.http}/checkpoint`);
    assert.equal(checkpoint.status, 503);
    assert.match(await checkpoint.text(), /this reader has stopped: /);
    await assert.rejects(
      httpSource(`http://${at.http}`, fetch).checkpoint(),
      /answered 503 \(this reader has stopped: /,
    );
    assert.match(reader.output, /"verifier_key":"sentinel\/test\+/);
    stack.move();
    return reader;
  }

  const replace = (writer: WriterProcess, copy: string): void => {
    rmSync(writer.dataFolder, { recursive: true });
    cpSync(copy, writer.dataFolder, { recursive: true });
    cpSync(`${copy}.guard`, `${writer.dataFolder}.guard`);
  };
  const evidenceOf = (reader: LedgerProcess): string => {
    const folder = join(reader.folder, 'state');
    const [name = ''] = readdirSync(folder).filter((each) => each.startsWith('fork-evidence-'));
    return readFileSync(join(folder, name), 'utf8');
  };

  it('stops at a fork, keeps proof of it, and stays stopped until an operator says otherwise', async () => {
    let key = '';
    await using reader = await forked(async (writer, copy) => {
      key = writer.verifierKey;
      replace(writer, copy);
      const other = await writer.start();
      await ingest(other.grpc, 200, 30);
    });
    const verdict = judgeEvidence(parseEvidence(evidenceOf(reader)), key);
    assert.deepEqual(verdict, {
      proven: true,
      what: 'sentinel/test signed two different logs: the 51 entries of one do not begin with the 26 of the other',
    });
    await reader.signal('SIGTERM');
    const again = await reader.start();
    assert.deepEqual([(await health(again)).status, (await health(again)).body.status], [503, 'forked']);
  });

  it('stops at two roots of one size', async () => {
    let key = '';
    await using reader = await forked(async (writer, copy) => {
      key = writer.verifierKey;
      replace(writer, copy);
      const other = await writer.start();
      await ingest(other.grpc, 200, 5);
    });
    assert.ok(judgeEvidence(parseEvidence(evidenceOf(reader)), key).proven);
  });

  it('stops at a rollback, whose evidence says that it proves nothing more', async () => {
    let key = '';
    await using reader = await forked((writer, copy) => {
      key = writer.verifierKey;
      replace(writer, copy);
      return Promise.resolve();
    });
    const verdict = judgeEvidence(parseEvidence(evidenceOf(reader)), key);
    assert.ok(!verdict.proven && /seen at 26 entries and later at 21/.test(verdict.what));
  });
});

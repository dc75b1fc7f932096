/** What an outsider finds over HTTP where the disk of a running ledger was damaged. */
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseVerifierKey } from '../note/keys.js';
import { clientOf, commitEvents, eventOf } from '../testing/wire.js';
import { type WriterAddresses, WriterProcess } from '../testing/writer-process.js';
import { httpSource } from './http-source.js';
import { SourceError } from './source.js';
import { type VerifyReport, verifyLog } from './verify-log.js';

/** Commits of the log: the genesis, then these. */
const COMMITS = [300, 5, 300];

let writer: WriterProcess;
let at: WriterAddresses;
before(async () => {
  writer = new WriterProcess();
  at = await writer.start();
  const client = clientOf(at.grpc);
  let first = 0;
  for (const count of COMMITS) {
    const events = Array.from({ length: count }, (_, n) => eventOf(first + n));
    await commitEvents(client, { producer: 'test/1', producerEpoch: 0n, firstSequence: 0n, events });
    first += count;
  }
  client.close();
});
after(async () => await writer[Symbol.asyncDispose]());

async function verified(): Promise<VerifyReport> {
  return await verifyLog(httpSource(`http://${at.http}`, fetch), parseVerifierKey(writer.verifierKey));
}

/** Flips a bit inside the middle commit of a record log, behind the back of the ledger. */
async function damaged(log: string): Promise<VerifyReport> {
  const path = join(writer.dataFolder, log, '0000000001.seg');
  const intact = readFileSync(path);
  const offset = Math.floor(intact.length / 2);
  const file = openSync(path, 'r+');
  try {
    writeSync(file, Buffer.from([(intact[offset] ?? 0) ^ 1]), 0, 1, offset);
    return await verified();
  } finally {
    writeSync(file, intact, offset, 1, offset);
    closeSync(file);
  }
}

describe('over HTTP', () => {
  it('an intact log verifies', async () => {
    const report = await verified();
    assert.deepEqual([report.findings, report.entries, report.details], [[], 606, 606]);
  });

  it('a damaged entry is tampering, within the bundle that holds it', async () => {
    const { ok, findings } = await damaged('entries');
    assert.ok(!ok);
    assert.ok(findings.some(({ seq }) => seq > 256 && seq < 512));
    assert.ok(findings.every(({ seq }) => seq >= 256 && seq < 512));
  });

  it('a damaged detail is tampering, within the commit that holds it', async () => {
    const { findings } = await damaged('details');
    assert.deepEqual(
      findings,
      [301, 302, 303, 304, 305].map((seq) => ({ seq, what: 'detail is missing' })),
    );
  });

  it('a server that talks nonsense is no verdict', async () => {
    const nonsense = httpSource('http://ledger', async (url) => ({
      ok: true,
      status: 200,
      arrayBuffer: async () => await (await fetch(`http://${at.http}/checkpoint?${new URL(url).search}`)).arrayBuffer(),
    }));
    await assert.rejects(async () => await nonsense.openings?.(0, 10)[Symbol.asyncIterator]().next(), SourceError);
  });
});

/** What an auditor does, as he does it: one command makes report and evidence, another on a machine without the log verifies it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Report } from '../report/model.js';
import { clientOf, commitEvents, eventOf } from '../testing/wire.js';
import { WriterProcess } from '../testing/writer-process.js';

const ENTRIES = 300;

/** UTC. */
const today = (): string => new Date().toISOString().slice(0, 10);

let writer: WriterProcess;
/** Of the first entry: midnight may come at any moment. */
let begun: string;
const at = (name: string): string => join(writer.folder, name);
before(async () => {
  writer = new WriterProcess();
  begun = today();
  const client = clientOf((await writer.start()).grpc);
  const events = Array.from({ length: ENTRIES }, (_, n) => eventOf(n));
  await commitEvents(client, { producer: 'test/1', producerEpoch: 0n, firstSequence: 0n, events });
  client.close();
});
after(async () => await writer[Symbol.asyncDispose]());

describe('report', () => {
  it('beside a writer at work gives the report, and evidence that verifies', async () => {
    const pack = at('soc2.tar');
    const { code, output } = await writer.run('report', 'soc2', '--evidence', pack, '--output', at('soc2.json'));
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`ok: entries 0 to ${ENTRIES} \\(${ENTRIES + 1} details\\)`));
    const report = JSON.parse(readFileSync(at('soc2.json'), 'utf8')) as Report;
    assert.equal(report.entries.total, ENTRIES + 1);
    const verified = await writer.run('verify', '--from-export', pack, '--key', writer.verifierKey);
    assert.equal(verified.code, 0, verified.output);
  });

  it('takes days and numbers as a period, and says when there is nothing in it', async () => {
    for (const [from, to] of [
      [begun, today()],
      ['0', '9999'],
      [`${begun}T00:00`, '9999'],
    ] as const) {
      const { code, output } = await writer.run('report', 'iso27001', '--from', from, '--to', to, '--evidence', 'none');
      assert.equal(code, 0, output);
      assert.equal((JSON.parse(output) as Report).entries.total, ENTRIES + 1);
    }
    const { code, output } = await writer.run('report', 'soc2', '--to', '2020-01-01', '--evidence', 'none');
    assert.equal(code, 2, output);
    assert.match(output, /none in this period/);
  });

  it('writes a PDF to a file alone, overwrites nothing, and knows its frameworks', async () => {
    const pdf = await writer.run('report', 'soc2', '--format', 'pdf', '--evidence', 'none', '--output', at('soc2.pdf'));
    assert.equal(pdf.code, 0, pdf.output);
    assert.equal(readFileSync(at('soc2.pdf')).toString('latin1', 0, 5), '%PDF-');
    assert.match((await writer.run('report', 'soc2', '--format', 'pdf', '--evidence', 'none')).output, /--output/);
    assert.equal((await writer.run('report', 'hipaa', '--evidence', 'none')).code, 2);
    assert.notEqual((await writer.run('export', '--output', at('soc2.tar'))).code, 0);
    assert.ok(existsSync(at('soc2.tar')));
  });
});

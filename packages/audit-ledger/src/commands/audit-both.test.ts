/** What an auditor takes away is the same from either backend: a copy and a report, made beside a writer at work, verify elsewhere. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Report } from '../report/model.js';
import { BACKENDS, type TestPlace } from '../testing/backends.js';
import { clientOf, commitEvents, eventOf } from '../testing/wire.js';
import { WriterProcess } from '../testing/writer-process.js';

const VERIFY = fileURLToPath(new URL('../../offline/verify.mjs', import.meta.url));
const ENTRIES = 300;

for (const kind of BACKENDS) {
  describe(`an audit of a log in ${kind.name}`, { skip: kind.skip }, () => {
    let place: TestPlace;
    let writer: WriterProcess;
    const at = (name: string): string => join(writer.folder, name);
    before(async () => {
      place = kind.make();
      writer = new WriterProcess(place.settings);
      const client = clientOf((await writer.start()).grpc);
      const events = Array.from({ length: ENTRIES }, (_, n) => eventOf(n));
      const request = { producer: 'test/1', producerEpoch: 0n, firstSequence: 0n, events };
      await commitEvents(client, request).finally(() => client.close());
    });
    after(async () => {
      await writer[Symbol.asyncDispose]();
      await place.remove();
    });

    const verified = (pack: string): string =>
      execFileSync(process.execPath, [VERIFY, pack, '--key', writer.verifierKey]).toString();

    it('export', async () => {
      const { code, output } = await writer.run('export', '--from', '10', '--to', '290', '--output', at('part.tar'));
      assert.equal(code, 0, output);
      assert.match(output, /ok: entries 10 to 290 \(281 details\)/);
      assert.match(verified(at('part.tar')), /^PROVEN: entries 10 to 290 .*281 leaves, 281 details/);
    });

    it('report', async () => {
      const { code, output } = await writer.run(
        'report',
        'soc2',
        '--evidence',
        at('e.tar'),
        '--output',
        at('soc2.json'),
      );
      assert.equal(code, 0, output);
      const report = JSON.parse(readFileSync(at('soc2.json'), 'utf8')) as Report;
      assert.equal(report.entries.total, ENTRIES + 1);
      assert.match(
        verified(at('e.tar')),
        /^PROVEN: .* report\.json and report\.csv follow from them, with all \d+ figures/,
      );
    });
  });
}

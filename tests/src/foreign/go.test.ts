/** A log and an export of it are verified by golang.org/x/mod/sumdb/tlog and note, which also find what was altered. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fillLog, WriterProcess } from '@sentinel/audit-ledger/testing';
import { type Outcome, runProgram } from '../harness/cli.js';
import { goProgram, NO_GO } from './go-verifier.js';

const ENTRIES = 70_000;

describe('verified by Go', { skip: NO_GO }, () => {
  let ledger: WriterProcess;
  let live: string;
  before(async () => {
    goProgram();
    ledger = new WriterProcess();
    await fillLog(ledger, ENTRIES);
    live = `http://${(await ledger.start()).http}`;
  });
  after(async () => await ledger[Symbol.asyncDispose]());

  const verify = (key: string, place: string): Promise<Outcome> => runProgram(goProgram(), [key, place]);

  async function exported(name: string, ...range: string[]): Promise<string> {
    const output = join(ledger.folder, name);
    const { code, output: said } = await ledger.run('export', ...range, '--output', output);
    assert.equal(code, 0, said);
    return output;
  }

  async function refused(place: string, why: RegExp, key = ledger.verifierKey): Promise<void> {
    const { code, stdout } = await verify(key, place);
    assert.equal(code, 1, stdout);
    assert.match(stdout, why);
  }

  /** Verifies with one bit of a file flipped, and puts it back. */
  async function flipped(place: string, path: string, at: number, why: RegExp): Promise<void> {
    const file = join(place, path);
    const intact = readFileSync(file);
    const bytes = Buffer.from(intact);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    await refused(place, why);
    writeFileSync(file, intact);
  }

  it('a live log over HTTP', async () => {
    const { code, stdout } = await verify(ledger.verifierKey, live);
    assert.equal(code, 0, stdout);
    assert.match(stdout, new RegExp(`^ok: ${ENTRIES} entries hashed, 6\\d proved one by one`));
  });

  it('a live log whose server gives back another entry', async () => {
    const liar = createServer((request, response) => {
      void (async () => {
        const answer = await fetch(`${live}${request.url}`);
        const body = Buffer.from(await answer.arrayBuffer());
        if (request.url === '/tile/entries/100') body[50] = (body[50] ?? 0) ^ 1;
        response.writeHead(answer.status).end(body);
      })();
    });
    await new Promise<void>((listening) => liar.listen(0, '127.0.0.1', listening));
    try {
      await refused(`http://127.0.0.1:${(liar.address() as AddressInfo).port}`, /entry 25600 is not the one/);
    } finally {
      liar.close();
    }
  });

  it('an export of everything, and of a part', async () => {
    for (const [name, ...range] of [['whole'], ['part', '--from', '300', '--to', '66000']] as const) {
      const { code, stdout } = await verify(ledger.verifierKey, await exported(name, ...range));
      assert.equal(code, 0, stdout);
    }
  });

  it('and refuses an export under another key, or of which something was altered or is missing', async () => {
    const place = await exported('altered', '--from', '300', '--to', '66000');
    const other = ledger.verifierKey.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    await refused(place, /FAILED/, other);
    await flipped(place, 'checkpoint', 20, /FAILED/);
    await flipped(place, 'tile/entries/100', 50, /entry 25600 is not the one/);
    await flipped(place, 'tile/0/100', 50, /entries from 25600/);
    await flipped(place, 'tile/1/000', 50, /FAILED/);
    rmSync(join(place, 'tile/entries/200'));
    await refused(place, /no such file/);
  });
});

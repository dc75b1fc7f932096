import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CorrelationEngineConfig } from '@sentinel/service-kit/config';
import { freePort, temporaryFolder } from '@sentinel/test-kit';
import { STEPS } from '../store/migrations.js';
import { DATABASE_KINDS, type DatabasePlace } from '../testing/databases.js';
import { TestEngine } from '../testing/engine.js';
import { migrateBy } from './testing/run-migrate.js';

const NAMES = Object.keys(STEPS);
const [OLDEST = '', SECOND = ''] = NAMES;
const NEWEST = NAMES.at(-1) ?? '';
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

for (const { name, make, skip } of DATABASE_KINDS) {
  describe(`the schema of the state, by command: ${name}`, { skip }, () => {
    let place: DatabasePlace;
    let engine: TestEngine;
    before(async () => {
      place = await make();
      engine = new TestEngine({ database: database() });
    });
    after(async () => {
      await engine.remove();
      await place.remove();
    });
    const database = () => ({ postgres_url: place.url, sslmode: 'disable' });
    const migrate = (words: string[], flags = {}) =>
      migrateBy(
        {
          database: { ...database(), max_connections: 2, connect_timeout_ms: 5000, ca_file: '' },
        } as Partial<CorrelationEngineConfig>,
        words,
        {
          state: true,
          ...flags,
        },
      );
    const lines = (text: string): string[] => text.trimEnd().split('\n');

    it('goes up, says where it stands, and goes down to a step and to nothing', async () => {
      const up = await migrate(['up'], { to: SECOND });
      assert.deepEqual(up, { status: 0, text: `state: ${OLDEST} taken\nstate: ${SECOND} taken\n` });
      const partly = await migrate(['status']);
      assert.equal(partly.status, 1, partly.text);
      assert.deepEqual(lines(partly.text).slice(0, 3), [
        `state: ${OLDEST} done`,
        `state: ${SECOND} done`,
        `state: ${NAMES[2]} missing`,
      ]);
      assert.equal(lines((await migrate(['up'])).text).length, NAMES.length - 2);
      assert.deepEqual(await migrate(['up']), { status: 0, text: 'state: nothing to do\n' });
      assert.equal((await migrate(['status'])).status, 0);
      const one = await migrate(['down'], { yes: true });
      assert.deepEqual(one, { status: 0, text: `state: ${NEWEST} taken back\n` });
      const all = await migrate(['down'], { yes: true, to: 'none' });
      assert.equal(lines(all.text).length, NAMES.length - 1);
      assert.match((await migrate(['status'])).text, /^state: 0001-\S+ missing\n/);
    });

    it('takes nothing back unless told so, and names what would be lost', async () => {
      await migrate(['up']);
      const refused = await migrate(['down'], { to: 'none' });
      assert.equal(refused.status, 2);
      assert.match(refused.text, /what the tables of the state hold would be lost\. Say --yes/);
      assert.equal((await migrate(['status'])).status, 0);
    });

    it('takes nothing from under an engine that runs', async () => {
      await engine.start();
      const refused = await migrate(['down'], { yes: true });
      assert.equal(refused.status, 1);
      assert.match(refused.text, /a correlation engine runs on this database\. Stop every engine first/);
      assert.equal((await migrate(['status'])).status, 0, 'others may look meanwhile');
      await engine.stop();
      assert.equal((await migrate(['down'], { yes: true })).status, 0);
    });
  });
}

describe('the command', () => {
  it('is in the help, with its flags', () => {
    const help = execFileSync(process.execPath, [MAIN, '--help'], { encoding: 'utf8' });
    for (const word of ['migrate', '--state', '--history', '--to', '--yes'])
      assert.ok(help.includes(`  ${word}`), word);
  });

  it('makes no database to look at', async () => {
    await using folder = await temporaryFolder();
    const database = { postgres_url: `embedded://${folder.path}/pg` };
    const { status, text } = await migrateBy({ database } as CorrelationEngineConfig, ['status'], { state: true });
    assert.match(text, /there is no database in .*Name the configuration/);
    assert.equal(status, 1);
    assert.equal(existsSync(folder.join('pg')), false);
  });

  it('says which server does not answer, and by which setting', async () => {
    const where = `127.0.0.1:${await freePort()}`;
    const database = {
      postgres_url: `postgres://u:p@${where}/d`,
      sslmode: 'disable',
      max_connections: 1,
      connect_timeout_ms: 1000,
      ca_file: '',
    };
    const { status, text } = await migrateBy({ database } as CorrelationEngineConfig, ['status'], { state: true });
    assert.equal(status, 69);
    assert.match(text, new RegExp(`no database answers at ${where} `));
  });
});

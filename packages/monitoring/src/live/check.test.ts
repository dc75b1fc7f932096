import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { panelExpressions, ruleExpressions, selectorsOf } from '../expressions.js';
import { checkMonitoring } from './check.js';
import { WHILE_HEALTHY } from './quiet.js';

/** A Prometheus that has whatever is asked for, but for what a test takes away. */
describe('the check of a running Prometheus', () => {
  const one = [{ metric: {}, value: [0, '1'] }];
  let server: Server;
  let base = '';
  let targets: object[];
  let rules: object[];
  let answer: (expr: string) => object;

  before(async () => {
    // A connection that is kept does not end as a busy machine is about to use it.
    server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://any');
      const data: Record<string, () => object> = {
        '/api/v1/targets': () => ({ status: 'success', data: { activeTargets: targets } }),
        '/api/v1/rules': () => ({ status: 'success', data: { groups: [{ rules }] } }),
        '/api/v1/query': () => answer(searchParams.get('query') ?? ''),
      };
      response.end(JSON.stringify(data[pathname]?.() ?? {}));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    targets = ['sentinel-correlation-engine', 'sentinel-audit-ledger', 'scylladb'].map((job) => ({
      health: 'up',
      lastError: '',
      scrapeUrl: `http://${job}/metrics`,
      labels: { job },
    }));
    rules = ruleExpressions().map(({ where }) => ({ name: where, health: 'ok' }));
    answer = () => vector(one);
  });
  after(() => server.close());

  const vector = (result: object[]): object => ({ status: 'success', data: { resultType: 'vector', result } });
  const wrong = (mayBeDown: string[] = []): Promise<string[]> => checkMonitoring(base, { mayBeDown });

  it('finds nothing where all is there', async () => {
    assert.deepEqual(await wrong(), []);
  });

  it('names a target that is down unless it may be, and a job without any', async () => {
    targets = targets.slice(1);
    targets[1] = {
      health: 'down',
      lastError: 'refused',
      scrapeUrl: 'http://scylladb/metrics',
      labels: { job: 'scylladb' },
    };
    const none = 'job sentinel-correlation-engine has no target';
    assert.deepEqual(await wrong(), [none, 'target http://scylladb/metrics is down: refused']);
    assert.deepEqual(await wrong(['scylladb']), [none]);
  });

  it('names a rule that is not loaded or could not be evaluated', async () => {
    rules[0] = { name: ruleExpressions()[0]?.where, health: 'err', lastError: 'many-to-many' };
    rules.pop();
    assert.deepEqual(await wrong(), [
      `rule ${ruleExpressions()[0]?.where} is err: many-to-many`,
      `rule ${ruleExpressions().at(-1)?.where} is not loaded`,
    ]);
  });

  it('names every metric that nobody serves, where it is read, and every panel that is empty, but for what is quiet', async () => {
    answer = () => vector([]);
    const all = [...ruleExpressions(), ...panelExpressions('1m')];
    const unread = all.flatMap(({ where, expr }) =>
      selectorsOf(expr)
        .filter((selector) => !(selector.replace(/\{.*/, '') in WHILE_HEALTHY.metrics))
        .map((selector) => `${where}: ${selector} has no series`),
    );
    const empty = all
      .filter(({ where, kind }) => kind !== 'alert' && !(where in WHILE_HEALTHY.expressions))
      .map(({ where, expr }) => `${where}: ${expr} is empty`);
    assert.deepEqual(await wrong(), [...unread, ...empty]);
    assert.ok(unread.length > 100 && empty.length > 50);
  });

  it('names an expression that cannot be evaluated', async () => {
    const [first] = panelExpressions('1m');
    answer = (asked) => (asked === first?.expr ? { status: 'error', error: 'parse error' } : vector(one));
    assert.deepEqual(await wrong(), [`${first?.where}: Error: parse error`]);
  });
});

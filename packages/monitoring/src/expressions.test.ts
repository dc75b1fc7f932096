import assert from 'node:assert/strict';
import { test } from 'node:test';
import { panelExpressions, ruleExpressions, selectorsOf } from './expressions.js';
import { WHILE_HEALTHY } from './live/quiet.js';

test('an expression says which series it reads', () => {
  const expr =
    'max by (node) (sentinel_a{job="x"} * on (job, instance) group_left (node) sentinel_b) or sum(rate(up[5m])) / sentinel:c:sum or sentinel_a{job="x"}';
  assert.deepEqual(selectorsOf(expr), ['sentinel_a{job="x"}', 'sentinel_b', 'up', 'sentinel:c:sum']);
});

test('every expression reads some, and no variable of Grafana is left', () => {
  const all = [...ruleExpressions(), ...panelExpressions('1m')];
  assert.ok(all.length > 80, String(all.length));
  for (const { where, expr } of all) {
    assert.ok(selectorsOf(expr).length > 0, where);
    assert.doesNotMatch(expr, /\$/, where);
  }
});

test('what engine and agent count under one name is always asked of one job', () => {
  for (const { where, expr } of [...ruleExpressions(), ...panelExpressions('1m')])
    for (const selector of selectorsOf(expr).filter((name) => name.startsWith('sentinel_probe_results_total')))
      assert.match(selector, /job="sentinel-[a-z-]+"/, where);
});

test('what may be empty is asked somewhere', () => {
  const all = [...ruleExpressions(), ...panelExpressions('1m')];
  const metrics = new Set(all.flatMap(({ expr }) => selectorsOf(expr).map((selector) => selector.replace(/\{.*/, ''))));
  assert.deepEqual(
    Object.keys(WHILE_HEALTHY.metrics).filter((metric) => !metrics.has(metric)),
    [],
  );
  const places = new Set(all.map(({ where }) => where));
  assert.deepEqual(
    Object.keys(WHILE_HEALTHY.expressions).filter((where) => !places.has(where)),
    [],
  );
});

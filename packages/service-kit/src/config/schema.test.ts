import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leavesOf, siblingKey } from './schema.js';
import { sectionNames, sectionOf } from './sections/index.js';
import { variableFor, variables } from './text-sources.js';

const all = sectionNames.flatMap((section) =>
  leavesOf(sectionOf(section).children).map((leaf) => ({ section, ...leaf })),
);

test('every default passes its own format', () => {
  for (const { key, leaf } of all) assert.deepEqual(leaf.format.check(leaf.default), leaf.default, key);
});

test('every key says what it means and where its default comes from', () => {
  for (const { key, leaf } of all) {
    assert.match(leaf.doc, /\S.*[.)"]$/, key);
    assert.notEqual(leaf.source, '', key);
  }
});

test('no two keys share an environment variable', () => {
  const names = all.map(({ section, key }) => variableFor(section, key));
  assert.equal(new Set(names).size, names.length);
  assert.equal(variables().size, names.length + leavesOf(sectionOf('logging').children).length);
});

test('no variable of one section begins like another section', () => {
  const prefixes = sectionNames.map((section) => variableFor(section, '')).concat('SENTINEL_LOG_');
  for (const name of variables().keys()) {
    assert.equal(prefixes.filter((prefix) => name.startsWith(prefix)).length, 1, name);
  }
});

test('every secret has a twin for its file, and every twin a secret', () => {
  const keys = new Map(all.map(({ section, key, leaf }) => [`${section}.${key}`, leaf]));
  const twins = all.filter(({ leaf }) => leaf.secret || leaf.fillsKey !== undefined);
  assert.ok(twins.length >= 20);
  for (const { section, key, leaf } of twins) {
    const twin = keys.get(`${section}.${siblingKey(key, leaf.fileKey ?? leaf.fillsKey ?? '')}`);
    assert.equal(twin?.fillsKey ?? twin?.fileKey, key.split('.').at(-1), key);
    assert.equal(twin?.reloadable, leaf.reloadable, key);
  }
});

test('keys that sound secret are secret', () => {
  const named = all.filter(({ key }) =>
    /(password|token|hmac_keys?|signing_key|webhook_url|integration_key)$/.test(key),
  );
  assert.ok(named.length >= 9);
  for (const { key, leaf } of named) assert.equal(leaf.secret, true, key);
});

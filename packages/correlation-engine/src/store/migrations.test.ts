import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { STEPS } from './migrations.js';
import { narrowing } from './testing/narrowing.js';

describe('steps of the schema', () => {
  test('only add, so that the version before runs on them', () => {
    const found = Object.entries(STEPS).flatMap(([name, { up }]) => narrowing(up).map((why) => `${name}: ${why}`));
    assert.deepEqual(found, []);
  });

  test('are numbered without a gap, and each has a way back', () => {
    const names = Object.keys(STEPS);
    names.forEach((name, at) => {
      assert.match(name, new RegExp(`^${String(at + 1).padStart(4, '0')}-[a-z-]+$`));
      assert.ok((STEPS[name]?.down.length ?? 0) > 0, `${name} cannot be taken back`);
    });
  });
});

describe('what is not allowed in a step', () => {
  const refused: Record<string, string[]> = {
    'dropping a column': ['alter table devices drop column state'],
    'dropping a table': ['drop table devices'],
    'renaming a column': ['alter table devices rename column state to condition'],
    'another type': ['alter table devices alter column state type int using 0'],
    'a rule for what is there': ['alter table devices add constraint c check (state <> ``)'],
    'a unique index over what is there': ['create unique index i on devices (node)'],
    'a column that the version before does not fill': ['alter table devices add column mark int not null'],
    'one of two such': ['alter table devices add column a int, add column mark int not null'],
    'changing what is there': ['update devices set state = 1'],
    'removing what is there': ['delete from devices'],
    'rows in a table of before': ['insert into facts values (1, 2)'],
  };
  for (const [what, statements] of Object.entries(refused))
    test(what, () => assert.equal(narrowing(statements).length, 1, statements.join()));

  test('and what is', () => {
    const allowed = [
      'create table t (id int primary key)',
      'insert into t values (1)',
      'create index i on devices (node)',
      'create unique index u on t (id)',
      'alter table devices add column a int, add column b int not null default 0',
      'update devices d set a = 1 from nodes where true',
    ];
    assert.deepEqual(narrowing(allowed), []);
  });
});

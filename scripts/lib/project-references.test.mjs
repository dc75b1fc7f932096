import assert from 'node:assert/strict';
import { test } from 'node:test';
import { referenceFaults } from './project-references.mjs';
import { temporaryFolder } from './testing.mjs';

test('every project of this workspace is built, in the order of its imports', () => {
  assert.deepEqual(referenceFaults(), [], 'run `npm run sync:references` and mend the tsconfig.json files named here');
});

test('a project that the root does not list, or that hides an import, is a fault', (t) => {
  const root = temporaryFolder(t, {
    'tsconfig.json': { references: [{ path: 'packages/a' }, { path: 'packages/gone' }] },
    'packages/a/tsconfig.json': {},
    'packages/a/package.json': { name: '@x/a', dependencies: { '@x/b': 'workspace:*' } },
    'packages/b/tsconfig.json': {},
    'packages/b/package.json': { name: '@x/b' },
  });
  assert.deepEqual(referenceFaults(root), [
    'tsconfig.json does not list packages/b',
    'tsconfig.json lists packages/gone, which is no project',
    'packages/a/tsconfig.json does not reference packages/b',
  ]);
});

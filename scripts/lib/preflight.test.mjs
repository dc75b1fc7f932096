import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { requireCompiler, requirePython, requireSpace } from './preflight.mjs';
import { SetupError } from './setup-error.mjs';
import { temporaryFolder } from './testing.mjs';

/** A PATH with only the named tools, each a script that ends with the given status. */
function pathWith(t, tools) {
  const folder = temporaryFolder(t);
  for (const [name, status] of Object.entries(tools)) {
    fs.writeFileSync(path.join(folder, name), `#!/bin/sh\nexit ${status}\n`, { mode: 0o755 });
  }
  return { PATH: folder };
}

const says = (pattern) => (error) => error instanceof SetupError && pattern.test(error.message);

test('a machine with a compiler, make and Python passes', () => {
  requireCompiler();
  requirePython();
});

test('no compiler, one that is too old, or no make', (t) => {
  assert.throws(
    () => requireCompiler(pathWith(t, {})),
    says(/No C\+\+17 compiler works here \(tried c\+\+, g\+\+, clang\+\+\): install/),
  );
  assert.throws(() => requireCompiler(pathWith(t, { 'g++': 1, make: 0 })), says(/No C\+\+17 compiler/));
  assert.throws(() => requireCompiler({ ...pathWith(t, { mine: 1 }), CXX: 'mine' }), says(/tried mine/));
  assert.throws(() => requireCompiler(pathWith(t, { 'g++': 0 })), says(/There is no make here: install/));
  requireCompiler(pathWith(t, { 'clang++': 0, make: 0 }));
});

test('no Python, or one that is too old', (t) => {
  assert.throws(() => requirePython(pathWith(t, {})), says(/No Python 3\.8 or newer works here/));
  assert.throws(() => requirePython(pathWith(t, { python3: 1 })), says(/install it/));
});

test('a nearly full disk is said before anything is downloaded', () => {
  assert.throws(
    () => requireSpace('/clone', () => 5 * 1024 ** 2),
    says(/The disk that holds \/clone has 5 MB free .* free some space/),
  );
  requireSpace('/clone', () => 1024 ** 4);
});

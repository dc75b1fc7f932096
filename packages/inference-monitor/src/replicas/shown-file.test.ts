import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@sentinel/monitor-kit/testing/until';
import { SHOWN_ROUNDS } from './judge/repeatability.js';
import { ShownFile } from './shown-file.js';

const folder = temporaryFolder();

function shows(shown: ShownFile, digest: string): void {
  for (let round = 0; round < SHOWN_ROUNDS; round += 1) shown.canary.round('p', [digest, digest], 1);
  shown.save();
}

const known = ({ canary }: ShownFile) => [canary.phase, canary.reference('p')];

test('what was shown is known after a restart, of each configuration apart', () => {
  const file = join(folder, 'replica.json');
  const first = new ShownFile(file);
  first.use('with its library');
  shows(first, 'x');
  // A monitor that starts anew knows the server before the library in it tells more.
  const again = new ShownFile(file);
  again.use('alone');
  assert.deepEqual(known(again), ['learning', null]);
  shows(again, 'y');
  again.use('with its library');
  assert.deepEqual(known(again), ['repeatable', 'x']);
  again.use('alone');
  assert.deepEqual(known(again), ['repeatable', 'y']);
});

test('of many configurations the one used longest ago is forgotten', () => {
  const file = join(folder, 'many.json');
  const shown = new ShownFile(file);
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    shown.use(name);
    shows(shown, name);
  }
  const again = new ShownFile(file);
  again.use('b');
  assert.deepEqual(known(again), ['repeatable', 'b']);
  again.use('a');
  assert.deepEqual(known(again), ['learning', null]);
});

test('a file that is none counts as none, and so does one of another format', () => {
  const file = join(folder, 'broken.json');
  for (const text of ['', '{}', '[{"configHash":"a"}]', '[null]']) {
    writeFileSync(file, text);
    const shown = new ShownFile(file);
    shown.use('a');
    assert.deepEqual(known(shown), ['learning', null], text);
  }
});

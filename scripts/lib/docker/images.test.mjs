import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { createProgress } from '../progress.mjs';
import { temporaryFolder } from '../testing.mjs';
import { fingerprintOf, IMAGES, LABEL, provideImages } from './images.mjs';

const POSTGRES = Object.keys(IMAGES).find((name) => IMAGES[name] === 'postgres');

/**
 * A `docker` that has `images` (name to label, empty for a real one) and pulls from a registry, or has none.
 * @returns what it was asked to pull and what was made
 */
async function provide(t, images, registry) {
  const folder = temporaryFolder(t, { images, pulled: '' });
  const program = `#!${process.execPath}
    const fs = require('node:fs');
    const [command, ...args] = process.argv.slice(2);
    const name = args.at(-1);
    const images = JSON.parse(fs.readFileSync('${folder}/images', 'utf8'));
    if (command === 'pull') fs.appendFileSync('${folder}/pulled', name + '\\n');
    if (command === 'pull') process.exit(${registry ? 0 : 1});
    if (!args.includes('{{ index .Config.Labels "${LABEL}" }}') || !(name in images)) process.exit(1);
    console.log(images[name]);
  `;
  fs.writeFileSync(path.join(folder, 'docker.cjs'), program, { mode: 0o755 });
  fs.renameSync(path.join(folder, 'docker.cjs'), path.join(folder, 'docker'));
  const made = [];
  const world = { progress: createProgress(() => {}), make: async (name) => made.push(name) };
  await provideImages({ PATH: folder }, world);
  return { made, pulled: fs.readFileSync(path.join(folder, 'pulled'), 'utf8').split('\n').filter(Boolean) };
}

const all = (label) => Object.fromEntries(Object.entries(IMAGES).map(([name, folder]) => [name, label(folder)]));

it('with a registry every missing image is pulled and none made', async (t) => {
  assert.deepEqual(await provide(t, {}, true), { made: [], pulled: Object.keys(IMAGES) });
});

it('without a registry, which is asked once, every missing image is made', async (t) => {
  const [first] = Object.keys(IMAGES);
  assert.deepEqual(await provide(t, {}, false), { made: Object.keys(IMAGES), pulled: [first] });
});

it('real images stay, and so do stand-ins of today', async (t) => {
  assert.deepEqual(
    await provide(
      t,
      all(() => ''),
      false,
    ),
    { made: [], pulled: [] },
  );
  assert.deepEqual(await provide(t, all(fingerprintOf), true), { made: [], pulled: [] });
});

it('a stand-in whose files changed is made again', async (t) => {
  const images = { ...all(fingerprintOf), [POSTGRES]: 'of yesterday' };
  assert.deepEqual(await provide(t, images, false), { made: [POSTGRES], pulled: [] });
});

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { IMAGES } from '../lib/docker/images.mjs';
import { ROOT } from '../lib/paths.mjs';
import { temporaryFolder } from '../lib/testing.mjs';
import { dockerfiles, lintDockerfiles } from './dockerfiles.mjs';

const OWN_PART = "\n# The image's own part";
const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');
const ours = dockerfiles().filter((file) => file.startsWith('deploy/'));
/** From the first instruction on: what comes before is the command that builds the image. */
const sharedPart = (text) => text.slice(text.indexOf('\n'), text.indexOf(OWN_PART));

describe('Dockerfiles', () => {
  it('are linted: a tag that moves and a shell form are found', (t) => {
    const text = 'FROM debian:latest\nENTRYPOINT sh\n';
    const folder = temporaryFolder(t, { Dockerfile: text });
    const { status, stdout } = lintDockerfiles([path.join(folder, 'Dockerfile')]);
    assert.notEqual(status, 0);
    for (const rule of ['DL3007', 'DL3025']) assert.match(stdout, new RegExp(rule));
  });

  it('share one build: the same text, so that builders make its layers once', () => {
    assert.ok(ours.length >= 5);
    for (const file of ours) {
      assert.ok(read(file).includes(OWN_PART), file);
      assert.equal(sharedPart(read(file)), sharedPart(read(ours[0])), file);
    }
  });

  it('are plain: no builder of a later version is asked for, and images are made FROM what stand-ins are made of', () => {
    for (const file of ours) {
      assert.doesNotMatch(
        read(file),
        /^#\s*syntax|--mount|--chmod|--link|<<|^ARG .*(TOKEN|PASSWORD|SECRET|KEY)/im,
        file,
      );
      const stages = [...read(file).matchAll(/^FROM \S+ AS (\S+)$/gm)].map((match) => match[1]);
      for (const [, base] of read(file).matchAll(/^FROM (\S+)/gm))
        assert.ok(stages.includes(base) || base in IMAGES, `${file}: FROM ${base}`);
    }
  });

  it('label their images with the version of the workspace', () => {
    const { version } = JSON.parse(read('package.json'));
    for (const file of ours) assert.ok(read(file).includes(`org.opencontainers.image.version="${version}"`), file);
  });
});

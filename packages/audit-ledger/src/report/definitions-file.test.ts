import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { DEFINITIONS_VERSION } from './controls.js';
import { DEFINITIONS_FILE, withCurrent } from './definitions-file.js';

const text = readFileSync(DEFINITIONS_FILE, 'utf8');

describe('the definitions that offline verifiers carry', () => {
  it('are those by which reports are counted', () => {
    // However it is indented.
    const [carried, current] = [text, withCurrent(text)].map((json) => JSON.stringify(JSON.parse(json)));
    assert.equal(carried, current, 'run node dist/report/write-definitions.js');
  });

  it('keep those of earlier versions', () => {
    const versions = JSON.parse(text) as object;
    assert.deepEqual(
      Object.keys(versions),
      Array.from({ length: DEFINITIONS_VERSION }, (_, i) => String(i + 1)),
    );
    const grown = JSON.parse(withCurrent('{"0":{"soc2":{}}}')) as { [version: string]: unknown };
    assert.deepEqual(grown['0'], { soc2: {} });
  });
});

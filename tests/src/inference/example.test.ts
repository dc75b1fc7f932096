/** The example of the repository: real servers behind real sidecars, engine, ledger and command line. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flowing, runExample } from '../harness/example.js';

/** With PyTorch fetched and a busy machine. */
const TIMEOUT_MS = 900_000;

const CANARY = 'its answer to a canary was not that of the others';
const REPLAY = 'what it computed from the same input was not what others did';

describe('three replicas of a model behind sidecars', { timeout: 2 * TIMEOUT_MS }, () => {
  it('of which one has a flipped bit in a weight: its device is named, the ledger says so, and no user is failed', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { code, output } = await runExample('inference', 'weight', TIMEOUT_MS);
    assert.equal(code, 0, output);
    assert.match(output, /node-c {2}SUSPECT/);
    // Whichever is asked first.
    assert.match(flowing(output), new RegExp(`(${CANARY}|${REPLAY}) in job example`));
    assert.match(output, /anomaly +CPU-\S+ +job_comparison/);
    assert.match(output, /decision +CPU-\S+ +HEALTHY>SUSPECT/);
    assert.match(output, /[1-9]\d* requests answered, 0 failed/);
  });

  it('that are sound: nobody is accused', { timeout: TIMEOUT_MS }, async () => {
    const { code, output } = await runExample('inference', 'none', TIMEOUT_MS);
    assert.equal(code, 0, output);
    assert.match(output, /node-c {2}HEALTHY/);
  });
});

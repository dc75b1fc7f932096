/** The example of the repository: real ranks of PyTorch, real analysers, engine, ledger and command line. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flowing, runExample } from '../harness/example.js';

/** With PyTorch fetched and a busy machine. */
const TIMEOUT_MS = 900_000;

const example = (fault: string, env?: Readonly<Record<string, string>>) =>
  runExample('training', fault, TIMEOUT_MS, env);

describe('a training job on four nodes', { timeout: 4 * TIMEOUT_MS }, () => {
  it('of which one rank loses a bit of a weight: its device is named, with job, rank and step, and the ledger says so', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { code, output } = await example('weight');
    assert.equal(code, 0, output);
    assert.match(output, /node-c {2}SUSPECT/);
    assert.match(
      flowing(output),
      /its replica of the model was not that of the others in job example, rank 2, step \d+/,
    );
    assert.match(output, /anomaly +CPU-\S+ +job_comparison/);
    assert.match(output, /decision +CPU-\S+ +HEALTHY>SUSPECT/);
  });

  it('of which one rank goes on computing a product wrongly: its device is taken out', {
    timeout: TIMEOUT_MS,
  }, async () => {
    // Not the ten minutes that a device is watched first.
    const { code, output } = await example('product', { SENTINEL_CORRELATION_ENGINE_GATES_DWELL_SECONDS: '5' });
    assert.equal(code, 0, output);
    assert.match(output, /node-c {2}QUARANTINED/);
    assert.match(output, /REPLAY_MISMATCH/);
    assert.match(output, /decision +CPU-\S+ +SUSPECT>QUARANTINED/);
  });

  it('whose checkpoint is damaged between two runs, without its manifest: each node tells of it, and no device is accused', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { code, output } = await example('checkpoint');
    assert.equal(code, 0, output);
    const told = output.match(
      /node-.: Checkpoint \S+ is not what rank 0 saved in step 10: the ledger has another digest/g,
    );
    assert.equal(told?.length, 4, output);
  });

  it('that is sound accuses nobody', { timeout: TIMEOUT_MS }, async () => {
    const { code, output } = await example('none');
    assert.equal(code, 0, output);
    assert.match(output, /node-c {2}HEALTHY/);
  });
});

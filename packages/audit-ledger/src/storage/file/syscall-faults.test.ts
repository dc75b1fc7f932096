/** A slice of the bench `ledger-syscalls`: one call of each kind fails, and one kills the writer. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { FAULTS, type Fault, FaultRuns, SYSCALLS } from '../../testing/syscall-faults.js';

/** It swaps the head only after it acknowledged. */
const MUTANT = new URL('../../testing/mutants/sign-before-swap.js', import.meta.url).href;
const hasTracer = spawnSync('strace', ['--version']).status === 0;
const skip = hasTracer || process.env['CI'] === 'true' ? false : 'strace is not installed';

describe('a system call of a writer that fails', { skip, timeout: 600_000 }, () => {
  it('costs no acknowledged entry and doubles none, whatever the call', async () => {
    await using runs = new FaultRuns();
    await runs.prepare();
    const calls = await runs.calls();
    const faults = Object.keys(FAULTS) as Fault[];
    let injected = 0;
    for (const [i, syscall] of SYSCALLS.entries()) {
      const ofKind = calls.filter((call) => call.syscall === syscall);
      const call = ofKind[Math.floor(ofKind.length / 2)];
      const fault = faults[i % faults.length];
      if (call === undefined || fault === undefined) continue;
      const outcome = await runs.run(call, fault);
      assert.deepEqual(outcome.problems, [], `${fault} at ${syscall} ${call.nth}`);
      if (outcome.injected) injected += 1;
    }
    assert.ok(injected >= 8, `${injected} faults were injected`);
  });

  it('shows a writer that acknowledges before its head is swapped, where an honest one is killed at its swap', async () => {
    await using honest = new FaultRuns();
    await honest.prepare();
    const swap = (await honest.calls()).findLast(({ syscall }) => syscall === 'link');
    assert.ok(swap !== undefined);
    assert.deepEqual((await honest.run(swap, 'kill')).problems, []);
    await using faulty = new FaultRuns(MUTANT);
    await faulty.prepare();
    const { problems } = await faulty.run(swap, 'kill');
    assert.match(problems.join('\n'), /acknowledged entry \d+ is now|went back in time/);
  });
});

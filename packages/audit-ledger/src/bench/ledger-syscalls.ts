import { bench } from '@sentinel/bench-kit';
import { FAULTS, type Fault, FaultRuns } from '../testing/syscall-faults.js';

/** Of the calls of a run, one in so many. */
const QUICK_STEP = 20;

/** Each system call of the real writer on the files of its log fails (EIO, ENOSPC) or kills it, one a run. */
export default bench({
  name: 'ledger-syscalls',
  run: async ({ quick, log }) => {
    await using runs = new FaultRuns();
    await runs.prepare();
    const calls = await runs.calls();
    const step = quick ? QUICK_STEP : 1;
    let [injected, broken] = [0, 0];
    for (const fault of Object.keys(FAULTS) as Fault[]) {
      for (const call of calls.filter((_, i) => i % step === 0)) {
        const outcome = await runs.run(call, fault);
        if (outcome.injected) injected += 1;
        broken += outcome.problems.length;
        for (const problem of outcome.problems) log(`${fault} at ${call.syscall} ${call.nth}: ${problem}`);
      }
      log(`${fault}: ${injected} faults injected so far`);
    }
    const calls_without_fault = Math.ceil(calls.length / step) * Object.keys(FAULTS).length - injected;
    return { figures: { injected, calls_without_fault, broken_promises: broken } };
  },
});

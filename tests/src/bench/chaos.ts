import { bench } from '@sentinel/bench-kit';
import { campaign } from '../chaos/options.js';
import { runCampaign, runsOfFindings } from '../chaos/run-campaign.js';

/** Replicas and their stores under random faults; what was lost, doubled or decided otherwise than undisturbed. */
export default bench({
  name: 'chaos',
  run: async ({ quick, args, log }) => {
    const wanted = campaign([...(quick ? ['--quick'] : []), ...args], Date.now() % 2 ** 32);
    const { faults, runs, lost, doubled } = await runCampaign(wanted, log);
    log(`${runs} runs were acknowledged and compared`);
    const figures = { lost: runsOfFindings(lost), doubled: runsOfFindings(doubled) };
    return quick ? { figures, notRun: ['faults'] } : { figures: { faults, ...figures } };
  },
});

import { type Campaign, campaign, USAGE } from './options.js';
import { runCampaign, runsOfFindings } from './run-campaign.js';

// `npm run chaos`: 0 = nothing was lost or doubled, 1 = something was, 2 = usage.

const EXIT_USAGE = 2;
const MOST_SEED = 2 ** 32;

function asked(): Campaign | null {
  try {
    return campaign(process.argv.slice(2), Date.now() % MOST_SEED);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
    return null;
  }
}

// Whatever is hurt ends with this process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const wanted = asked();
if (wanted === null) process.exitCode = EXIT_USAGE;
else {
  const { lost, doubled, ...facts } = await runCampaign(wanted, (line) => process.stderr.write(`${line}\n`));
  const counts = { lost: runsOfFindings(lost), doubled: runsOfFindings(doubled) };
  process.stdout.write(`${JSON.stringify({ chaos: wanted.seed, ...facts, ...counts })}\n`);
  process.exitCode = lost.length + doubled.length === 0 ? 0 : 1;
}

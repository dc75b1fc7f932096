import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { bench, median } from '@sentinel/bench-kit';
import { runProgram } from '../harness/cli.js';
import { ROOT } from '../harness/paths.js';
import { Start } from '../harness/start.js';

const WARM_STARTS = 10;
const QUICK_WARM_STARTS = 3;
const WARM_MS = 60_000;
/** Everything is compiled: minutes on two cores. */
const COLD_MS = 900_000;
const READY = /SENTINEL runs, ready after/;

/** From `npm start` to every service ready: on this clone, set up already, and (not with --quick) on a fresh one. */
export default bench({
  name: 'startup',
  run: async ({ quick, folder, log }) => {
    chmodSync(folder, 0o755);
    const data = join(folder, 'data');
    log(`first start on an empty data folder: ${(await secondsToReady(ROOT, data, WARM_MS)).toFixed(1)} s`);
    const warm: number[] = [];
    for (let i = 0; i < (quick ? QUICK_WARM_STARTS : WARM_STARTS); i += 1) {
      warm.push(await secondsToReady(ROOT, data, WARM_MS));
    }
    log(`warm starts: ${warm.map((seconds) => seconds.toFixed(2)).join(', ')} s`);
    if (quick) return { figures: { warm_seconds: median(warm) }, notRun: ['cold_seconds'] };
    return { figures: { warm_seconds: median(warm), cold_seconds: await coldSeconds(folder) } };
  },
});

/** On a clone of what is committed. */
async function coldSeconds(folder: string): Promise<number> {
  const clone = join(folder, 'clone');
  const { code, stderr } = await runProgram('git', ['clone', '--quiet', '--local', ROOT, clone]);
  if (code !== 0) throw new Error(`git clone failed: ${stderr}`);
  return secondsToReady(clone, join(folder, 'cold-data'), COLD_MS);
}

async function secondsToReady(root: string, data: string, timeoutMs: number): Promise<number> {
  const before = performance.now();
  const start = new Start(['--data', data, '--free-ports'], root);
  try {
    await start.says(READY, timeoutMs);
    return (performance.now() - before) / 1000;
  } finally {
    await start.end();
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import { bench, residentMegabytes } from '@sentinel/bench-kit';
import { agentChildren, commandOf, treeOf } from '../harness/proc.js';
import { Start } from '../harness/start.js';

const SETTLE_MS = 120_000;
const QUICK_SETTLE_MS = 20_000;
const START_MS = 60_000;
const SAMPLE_PAUSE_MS = 500;
const SAMPLES = 10;

/** Runs what `npm start` runs and reads the resident memory of each process once it is warm: the largest of some samples. */
export default bench({
  name: 'memory',
  run: async ({ quick, folder, log }) => {
    const start = new Start(['--data', folder, '--free-ports']);
    try {
      await start.says(/SENTINEL runs, ready after/, START_MS);
      await delay(quick ? QUICK_SETTLE_MS : SETTLE_MS);
      const figures = await sample(start.pid);
      log(`after ${(quick ? QUICK_SETTLE_MS : SETTLE_MS) / 1000} s of probing this machine`);
      return { figures };
    } finally {
      await start.end();
    }
  },
});

async function sample(root: number): Promise<Record<string, number>> {
  const pids = processesOf(root);
  const largest: Record<string, number> = {};
  for (let i = 0; i < SAMPLES; i += 1) {
    for (const [figure, pid] of Object.entries(pids)) {
      largest[figure] = Math.max(largest[figure] ?? 0, await residentMegabytes(pid));
    }
    await delay(SAMPLE_PAUSE_MS);
  }
  return largest;
}

/** Process ids by the names of docs/goals.json. */
function processesOf(root: number): Record<string, number> {
  const find = (what: string): number => {
    const pid = treeOf(root).find((candidate) => commandOf(candidate).includes(what));
    if (pid === undefined) throw new Error(`no process runs ${what}`);
    return pid;
  };
  const daemon = find('sentinel-probe-agent');
  const [child] = agentChildren(daemon, 'probes');
  if (child === undefined) throw new Error('the agent has no probe child');
  return {
    daemon_mb: daemon,
    child_mb: child,
    engine_mb: find('sentinel-correlation-engine'),
    ledger_mb: find('sentinel-audit-ledger'),
    supervisor_mb: find('packages/supervisor/dist/main.js'),
  };
}

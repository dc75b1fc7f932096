import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bench, residentMegabytes } from '@sentinel/bench-kit';
import { tcpProxy } from '@sentinel/test-kit';
import { metric, scrape } from '../harness/metrics.js';
import { SCHEDULES } from '../harness/paths.js';
import { childrenOf, cpuSecondsOf } from '../harness/proc.js';
import { Stack } from '../harness/stack.js';

/** Ten periods of the most frequent families of the default schedule. */
const MEASURED_MS = 600_000;
const QUICK_MEASURED_MS = 25_000;
/** Start-up, self-test and the first runs. */
const SETTLE_MS = 10_000;

/** What the agent with the default schedule costs the machine that it tests, and the network. */
export default bench({
  name: 'agent-overhead',
  async run({ quick, log }) {
    await using stack = await Stack.start();
    await using proxy = await tcpProxy(stack.address.engine.grpc);
    const overlay = { schedule_file: join(SCHEDULES, 'default.yaml'), spool: { ack_journal: false } };
    const agent = stack.agent({ engine: proxy.address, overlay });
    const { metrics } = await agent.start();
    const pid = agent.pid ?? 0;
    const [child = 0] = childrenOf(pid);
    const read = async () => ({
      atMs: performance.now(),
      daemon: cpuSecondsOf(pid),
      child: cpuSecondsOf(child),
      bytes: proxy.bytes.up + proxy.bytes.down,
      runs: metric(await scrape(String(metrics)), 'sentinel_probe_duration_seconds_count'),
    });
    await delay(SETTLE_MS);
    const before = await read();
    await delay(quick ? QUICK_MEASURED_MS : MEASURED_MS);
    const after = await read();
    const seconds = (after.atMs - before.atMs) / 1000;
    const runs = after.runs - before.runs;
    log(`${runs} runs in ${seconds.toFixed(0)} s`);
    const figures = {
      daemon_mb: await residentMegabytes(pid),
      child_mb: await residentMegabytes(child),
      daemon_cpu_pct: (100 * (after.daemon - before.daemon)) / seconds,
      child_cpu_pct: (100 * (after.child - before.child)) / seconds,
      charged_pct: metric(await scrape(String(metrics)), 'sentinel_probe_overhead_pct', { pool: 'scheduled' }),
    };
    // A slice shorter than a period says nothing of a schedule's traffic.
    if (quick) return { figures, notRun: ['bytes_per_run', 'bits_per_second'] };
    const bytes = after.bytes - before.bytes;
    return { figures: { ...figures, bytes_per_run: bytes / runs, bits_per_second: (8 * bytes) / seconds } };
  },
});

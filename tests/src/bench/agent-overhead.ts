import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bench, residentMegabytes } from '@sentinel/bench-kit';
import { tcpProxy } from '@sentinel/test-kit';
import { metric, type Sample, scrape } from '../harness/metrics.js';
import { SCHEDULES } from '../harness/paths.js';
import { agentChildren, cpuSecondsOf } from '../harness/proc.js';
import type { ServiceSpec } from '../harness/service.js';
import { Stack } from '../harness/stack.js';

/** Ten periods of the most frequent families of the default schedule. */
const MEASURED_MS = 600_000;
const QUICK_MEASURED_MS = 10_000;
/** Start-up, self-test and the first runs. */
const SETTLE_MS = 10_000;

/** Share of charged time at which charge and loss are compared. */
const COMPARED_AT_PCT = 0.5;
/** The agent's benchmark measures the loss in rounds of its own; its other figures are not looked at. */
const ITERATIONS = 1;

/** What the agent with the default schedule costs the machine that it tests, and the network. */
export default bench({
  name: 'agent-overhead',
  async run({ quick, log }) {
    await using stack = await Stack.start();
    await using proxy = await tcpProxy(stack.address.engine.grpc);
    const overlay = { schedule_file: join(SCHEDULES, 'default.yaml'), spool: { ack_journal: false } };
    const agent = stack.agent({ engine: proxy.address, overlay });
    const slowdowns = measureSlowdowns(agent.spec);
    const { metrics } = await agent.start();
    const pid = agent.pid ?? 0;
    const children = agentChildren(pid, 'probes');
    const [telemetry] = agentChildren(pid, 'telemetry');
    const read = async () => ({
      atMs: performance.now(),
      daemon: cpuSecondsOf(pid),
      children: children.reduce((sum, child) => sum + cpuSecondsOf(child), 0),
      bytes: proxy.bytes.up + proxy.bytes.down,
      samples: await scrape(String(metrics)),
    });
    await delay(SETTLE_MS);
    const before = await read();
    await delay(quick ? QUICK_MEASURED_MS : MEASURED_MS);
    const after = await read();
    const seconds = (after.atMs - before.atMs) / 1000;
    const runs = runsOf(after.samples) - runsOf(before.samples);
    log(`${runs} runs in ${seconds.toFixed(0)} s`);
    for (const [family, { measuredUs, chargedUs }] of slowdowns) {
      log(`${family}: a job loses ${measuredUs.toFixed(0)} us, ${chargedUs.toFixed(0)} us are charged`);
    }
    const chargedPct = metric(after.samples, 'sentinel_probe_overhead_pct', { pool: 'scheduled' });
    const memory = await Promise.all(children.map(residentMegabytes));
    const figures = {
      daemon_mb: await residentMegabytes(pid),
      child_mb: Math.max(...memory),
      ...(telemetry === undefined ? {} : { telemetry_child_mb: await residentMegabytes(telemetry) }),
      daemon_cpu_pct: (100 * (after.daemon - before.daemon)) / seconds,
      child_cpu_pct: (100 * (after.children - before.children)) / seconds,
      charged_pct: chargedPct,
      measured_pct: chargedPct * lossPerCharge(slowdowns, after.samples),
      charged_measured_gap_points: COMPARED_AT_PCT * worstDeviation(slowdowns),
    };
    const absent = telemetry === undefined ? ['telemetry_child_mb'] : [];
    // A slice shorter than a period says nothing of a schedule's traffic.
    if (quick) return { figures, notRun: [...absent, 'bytes_per_run', 'bits_per_second'] };
    const bytes = after.bytes - before.bytes;
    return {
      figures: { ...figures, bytes_per_run: bytes / runs, bits_per_second: (8 * bytes) / seconds },
      notRun: absent,
    };
  },
});

/** Of one execution: what a job on the same CPU loses, and what is charged. */
interface Slowdown {
  readonly measuredUs: number;
  readonly chargedUs: number;
}

type Slowdowns = ReadonlyMap<string, Slowdown>;

/** Asks the agent's own benchmark. @throws Error where it could not measure a family */
function measureSlowdowns({ bin, args, env }: ServiceSpec): Slowdowns {
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-bench-'));
  try {
    const file = join(folder, 'costs.json');
    const flags = [...args, '--mode', 'benchmark', '--iterations', String(ITERATIONS), '--output', file];
    execFileSync(process.execPath, [bin, ...flags], { env: { ...process.env, ...env }, stdio: 'ignore' });
    const { families } = JSON.parse(readFileSync(file, 'utf8')) as {
      families: { family: string; slowdown: { measuredUs: { p50: number }; chargedUs: number } | null }[];
    };
    return new Map(
      families.map(({ family, slowdown }) => {
        if (slowdown === null) throw new Error(`what ${family} costs a job could not be measured`);
        return [family, { measuredUs: slowdown.measuredUs.p50, chargedUs: slowdown.chargedUs }];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function runsOf(samples: readonly Sample[], labels: Readonly<Record<string, string>> = {}): number {
  return metric(samples, 'sentinel_probe_duration_seconds_count', labels);
}

/** Loss by charge of the families as often as each ran. */
function lossPerCharge(slowdowns: Slowdowns, samples: readonly Sample[]): number {
  const total = (us: (slowdown: Slowdown) => number) =>
    [...slowdowns].reduce((sum, [family, slowdown]) => sum + runsOf(samples, { family }) * us(slowdown), 0);
  return total(({ measuredUs }) => measuredUs) / total(({ chargedUs }) => chargedUs);
}

/** How far the ratio of loss and charge is from 1, of the worst family. */
function worstDeviation(slowdowns: Slowdowns): number {
  return Math.max(...[...slowdowns.values()].map(({ measuredUs, chargedUs }) => Math.abs(measuredUs / chargedUs - 1)));
}

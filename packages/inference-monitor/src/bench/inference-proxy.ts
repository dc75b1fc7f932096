import { bench, median, processCpuMilliseconds, residentMegabytes } from '@sentinel/bench-kit';
import { Asker, flood, trickle } from './support/load.js';
import { type SidecarProcesses, startSidecar, startUpstream } from './support/own-processes.js';
import { privateMegabytes } from './support/private-memory.js';

const CONNECTIONS = 32;
const FULL = { rounds: 40, flood: 4_000, trickle: 250 };
const QUICK = { rounds: 6, flood: 1_500, trickle: 100 };
/** Between two requests of the measurement of latency: an idle server. */
const PAUSE_MS = 2;
const SHIPPED_RATE = 0.01;

/** The shipped sidecar beside a direct connection to one fast server, in turns: the machine is shared, so that ratios and differences count. */
export default bench({
  name: 'inference-proxy',
  async run({ quick, folder, log }) {
    const size = quick ? QUICK : FULL;
    const upstream = await startUpstream();
    const sidecars: SidecarProcesses[] = [];
    try {
      for (const rate of [0, SHIPPED_RATE]) sidecars.push(await startSidecar(folder, upstream.port, rate));
      const [unsampled, shipped] = sidecars;
      if (unsampled === undefined || shipped === undefined) throw new Error('unreachable');
      const direct = await Lane.open('direct', upstream.port, 0);
      const plain = await Lane.open('through', unsampled.port, unsampled.frontPid);
      const sampling = await Lane.open('through, sampled', shipped.port, shipped.frontPid);
      const lanes = [direct, plain, sampling];
      for (const lane of lanes) await lane.round(size.flood, size.trickle);
      for (const lane of lanes) lane.forget();
      for (let round = 0; round < size.rounds; round += 1)
        for (const lane of round % 2 === 0 ? lanes : lanes.toReversed()) await lane.round(size.flood, size.trickle);
      for (const lane of lanes)
        log(
          `${lane.name}: ${lane.perSecond().toFixed(0)}/s, p50 ${lane.latency(0.5).toFixed(3)} ms, p99 ${lane.latency(0.99).toFixed(3)} ms`,
        );
      const figures = {
        added_p50_ms: plain.latency(0.5) - direct.latency(0.5),
        added_p99_ms: plain.latency(0.99) - direct.latency(0.99),
        sampled_added_p99_ms: sampling.latency(0.99) - direct.latency(0.99),
        cpu_us_per_request: plain.cpuMicroseconds(),
        sampled_cpu_us_per_request: sampling.cpuMicroseconds(),
        requests_per_core_second: 1e6 / plain.cpuMicroseconds(),
        sampled_requests_per_core_second: 1e6 / sampling.cpuMicroseconds(),
        requests_per_second: plain.perSecond(),
        direct_requests_per_second: direct.perSecond(),
        front_rss_mb: await residentMegabytes(shipped.frontPid),
        front_private_mb: await privateMegabytes(shipped.frontPid),
        sidecar_private_mb: (await privateMegabytes(shipped.frontPid)) + (await privateMegabytes(shipped.analyserPid)),
      };
      for (const lane of lanes) lane.close();
      return { figures };
    } finally {
      for (const sidecar of sidecars) await sidecar.stop();
      upstream.process.kill('SIGKILL');
    }
  },
});

/** One way to the server, with what was measured on it. */
class Lane {
  readonly name: string;
  readonly #askers: readonly Asker[];
  readonly #pid: number;
  #rates: number[] = [];
  #took: number[] = [];
  #cpuMs = 0;
  #requests = 0;

  private constructor(name: string, askers: readonly Asker[], pid: number) {
    this.name = name;
    this.#askers = askers;
    this.#pid = pid;
  }

  /** @param pid whose CPU time is counted; 0 = nobody's */
  static async open(name: string, port: number, pid: number): Promise<Lane> {
    return new Lane(name, await Promise.all(Array.from({ length: CONNECTIONS }, () => Asker.connect(port))), pid);
  }

  async round(requests: number, single: number): Promise<void> {
    const cpu = await this.#cpu();
    const begun = performance.now();
    await flood(this.#askers, requests);
    this.#rates.push((1000 * requests) / (performance.now() - begun));
    this.#cpuMs += (await this.#cpu()) - cpu;
    this.#requests += requests;
    const [asker] = this.#askers;
    if (asker !== undefined) this.#took.push(...(await trickle(asker, single, PAUSE_MS)));
  }

  forget(): void {
    this.#rates = [];
    this.#took = [];
    this.#cpuMs = 0;
    this.#requests = 0;
  }

  perSecond(): number {
    return median(this.#rates);
  }

  /** Milliseconds that a share of the requests takes at most. */
  latency(share: number): number {
    const sorted = this.#took.toSorted((a, b) => a - b);
    return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  }

  cpuMicroseconds(): number {
    return (1000 * this.#cpuMs) / this.#requests;
  }

  close(): void {
    for (const asker of this.#askers) asker.close();
  }

  #cpu(): Promise<number> {
    return this.#pid === 0 ? Promise.resolve(0) : processCpuMilliseconds(this.#pid);
  }
}

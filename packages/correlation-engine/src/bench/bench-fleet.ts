import { ManualClock } from '@sentinel/service-kit/clock';
import type { Committer } from '../commit/committer.js';
import { baseItem, type OwnItem, type UplinkRecord } from '../commit/item.js';
import { dueAt } from '../core.js';
import { columns } from '../evidence/testing/batches.js';
import { configWith } from '../evidence/testing/config.js';
import { decodeRecord } from '../ingest/envelope.js';
import type { HistoryRecord } from '../store/history/history-record.js';
import { nodeDay } from '../store/history/testing/node-day.js';
import type { StateStore } from '../store/state-store.js';
import { benchCommitter } from './bench-committer.js';
import { nodeHello } from './node-hello.js';

/** What came within this time is committed together. */
const FLUSH_US = 1_000_000;
/** Wrong results of one batch. */
const FAILS = 50;
const CONFIG = configWith(
  {},
  { tmr: { enabled: true, interval_seconds: 600, timeout_ms: 30_000, selection_strategy: 'round_robin' } },
);

/** Nodes of eight GPUs whose records go through a committer, by a clock of their own. */
export class BenchFleet {
  readonly #committer: Committer;
  readonly #clock: ManualClock;
  readonly #nodes: readonly HistoryRecord[][];
  /** Records of a node beyond its day. */
  #extra = 0;

  private constructor(store: StateStore, nodes: number, dayUs: number) {
    this.#clock = new ManualClock(BigInt(dayUs));
    this.#committer = benchCommitter(store, this.#clock, CONFIG);
    this.#nodes = Array.from({ length: nodes }, (_, i) => [...nodeDay(`node-${i}.rack-${i % 2}.example`, dayUs, 0)]);
  }

  /** Every node has said who it is. */
  static async start(store: StateStore, nodes: number, dayUs: number): Promise<BenchFleet> {
    const fleet = new BenchFleet(store, nodes, dayUs);
    fleet.#committer.load(await store.open(), CONFIG);
    await fleet.#own({ kind: 'config', config: CONFIG });
    for (const records of fleet.#nodes) await fleet.#hello(records);
    return fleet;
  }

  /** All that the nodes send in a day. Nobody answers canaries. */
  async day(): Promise<void> {
    const all = this.#nodes.flat().sort((a, b) => a.nowUs - b.nowUs);
    for (let at = 0; at < all.length; ) {
      const until = (all[at]?.nowUs ?? 0) + FLUSH_US;
      const end = all.findIndex(({ nowUs }, i) => i >= at && nowUs >= until);
      const group = all.slice(at, end < 0 ? all.length : end);
      await this.#timers(until);
      await Promise.all(
        group.map(({ payload, node, spoolId, sequence }) =>
          this.#uplink(decodeRecord(payload, { node, spoolId }, sequence, false) as UplinkRecord),
        ),
      );
      at += group.length;
    }
  }

  /** A device computes so many wrong results. */
  async fail(results: number): Promise<void> {
    const [first] = this.#nodes[0] ?? [];
    if (first === undefined) throw new Error('a fleet without nodes');
    const { node, spoolId, devices } = first;
    for (let done = 0; done < results; done += FAILS) {
      const fails = Array.from({ length: FAILS }, (_, sm) => ({ sm }));
      const runs = columns(Number(this.#clock.nowUs()), devices[0] ?? '', [{ index: done, fails }]);
      this.#extra += 1;
      const sequence = (this.#nodes[0]?.length ?? 0) + this.#extra;
      const origin = { node, spoolId, sequence, buildId: 'bench', testBuild: false };
      await this.#uplink({ kind: 'batch', ...origin, batch: runs });
      this.#clock.advanceMs(1000);
    }
  }

  keepBase(): Promise<void> {
    return new Promise((committed, failed) => this.#committer.submit({ ...baseItem(), committed, failed }));
  }

  /** What time alone asks for until then. */
  async #timers(untilUs: number): Promise<void> {
    for (
      let due = dueAt(this.#committer.state);
      due !== undefined && due <= untilUs;
      due = dueAt(this.#committer.state)
    ) {
      this.#setClock(due);
      await this.#own({ kind: 'timer' });
    }
    this.#setClock(untilUs);
  }

  #setClock(us: number): void {
    this.#clock.advanceMs(Math.max(0, us - Number(this.#clock.nowUs())) / 1000);
  }

  #own(record: OwnItem['record']): Promise<void> {
    return new Promise((committed, failed) => this.#committer.submit({ kind: 'own', record, committed, failed }));
  }

  #hello(records: readonly HistoryRecord[]): Promise<number> {
    const { node = '', spoolId = '' } = records[0] ?? {};
    const devices = [...new Set(records.flatMap((record) => record.devices))];
    const record = nodeHello(node, devices, Number(this.#clock.nowUs()));
    return new Promise((committed, failed) =>
      this.#committer.submit({ kind: 'hello', record, spoolId, committed, failed }),
    );
  }

  #uplink(record: UplinkRecord): Promise<void> {
    const mark = this.#committer.spools.open(record.node, record.spoolId);
    const epoch = this.#committer.epochOf(record.node);
    const payload = new Uint8Array();
    return new Promise((committed, failed) =>
      this.#committer.submit({ kind: 'uplink', record, mark, epoch, payload, committed, failed }),
    );
  }
}

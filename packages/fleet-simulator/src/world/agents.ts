import { type BatchRecord, RunKind, type SpanOfUnit } from '@sentinel/correlation-engine/core';
import { temperatureAt } from './environment.js';
import type { SimulatedGpu } from './fleet.js';
import { batchOf, type SimulatedRun } from './runs.js';
import { untold } from './series.js';
import type { Stage } from './stage.js';

/** What the node mates of a failing GPU ran is told no more often than this. */
const MATES_FRESH_US = 10 * 60 * 1_000_000;

/** What the engine hears from agents: failing runs as batches, and the clean ones between them as spans. */
export class Agents {
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Every family runs once, cleanly, on all SMs: from then on a GPU is a clean member of its cohorts. */
  firstRuns(gpu: SimulatedGpu): void {
    gpu.toldUs = this.#stage.nowUs;
    this.report(
      gpu,
      this.#stage.cadences.map(({ family }) =>
        this.run(gpu, { family, kind: RunKind.SCHEDULED, timeUs: this.#stage.nowUs }),
      ),
    );
  }

  report(gpu: SimulatedGpu, runs: readonly SimulatedRun[]): void {
    const { node } = gpu;
    node.sequence += 1;
    const record: BatchRecord = {
      kind: 'batch',
      node: node.name,
      spoolId: node.spoolId,
      sequence: node.sequence,
      buildId: `build-${node.build}`,
      testBuild: false,
      batch: batchOf(runs, gpu.id, gpu.sms, node.skewUs),
    };
    this.#stage.commit(record);
  }

  /** A run that is clean unless told otherwise. */
  run(
    gpu: SimulatedGpu,
    fields: Pick<SimulatedRun, 'family' | 'kind' | 'timeUs'> & Partial<SimulatedRun>,
  ): SimulatedRun {
    const failing = fields.failing ?? [];
    return {
      sms: gpu.sms,
      failing,
      siblingsRun: gpu.sms.length - 1,
      siblingsPassed: gpu.sms.length - Math.max(1, failing.length),
      directive: '',
      goldenIntact: true,
      temperatureC: temperatureAt(this.#stage.scenario.environment, fields.timeUs),
      ...fields,
    };
  }

  /** Tells the engine of the clean runs until a time, as if their rows had come one by one. */
  tell(gpu: SimulatedGpu, untilUs: number): void {
    const { node, id, toldUs } = gpu;
    if (!node.up || untilUs <= toldUs) return;
    const temperatureC = temperatureAt(this.#stage.scenario.environment, untilUs);
    const units = this.#stage.engine.state.devices.get(id)?.units ?? [];
    const clean: SpanOfUnit[] = [];
    const ran: { family: number; runs: number; executions: number }[] = [];
    for (const { family, periodUs } of this.#stage.cadences) {
      const runs = Math.floor(untilUs / periodUs) - Math.floor(toldUs / periodUs);
      if (runs <= 0) continue;
      ran.push({ family, runs, executions: runs * gpu.sms.length });
      for (const unit of units) {
        if (unit.family === family)
          clean.push({ family, sm: unit.sm, executions: runs, directiveId: '', temperatureC });
      }
    }
    for (const series of [...gpu.series.values()].flat()) {
      const runs = untold(series, untilUs);
      if (runs <= 0) continue;
      series.told += runs;
      const sms = series.sm === null ? gpu.sms.length : 1;
      const sm = series.sm ?? gpu.sms.find((other) => !units.some((unit) => unit.sm === other)) ?? 0;
      ran.push({ family: series.family, runs, executions: runs * sms });
      const executions = runs * sms;
      clean.push({ family: series.family, sm, executions, directiveId: series.directive, temperatureC });
    }
    gpu.toldUs = untilUs;
    if (ran.length > 0)
      this.#stage.commit({ kind: 'span', node: node.name, deviceId: id, fromUs: toldUs, untilUs, ran, clean });
  }

  /** Before a failure: what its node's other GPUs ran speaks for or against the node. */
  tellNode(gpu: SimulatedGpu, untilUs: number): void {
    for (const mate of gpu.node.gpus) {
      if (mate === gpu || untilUs - mate.toldUs > MATES_FRESH_US) this.tell(mate, untilUs);
    }
  }
}

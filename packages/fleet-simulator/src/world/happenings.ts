import type { OperatorAction } from '@sentinel/correlation-engine/core';
import type { Target } from '../faults/targets.js';
import type { PlannedEvent } from '../scenario/scenario.js';
import type { Agents } from './agents.js';
import { HOUR_US, ORIGIN_US } from './environment.js';
import type { Failures } from './failures.js';
import type { SimulatedGpu, SimulatedNode } from './fleet.js';
import type { Orders } from './orders.js';
import type { Stage } from './stage.js';

const ACTIONS = {
  quarantine: 'QUARANTINE',
  reinstate: 'REINSTATE',
  deep_test: 'SCHEDULE_DEEP_TEST',
  condemn: 'CONDEMN',
} as const;

/** What happens to a fleet from outside: rollouts, operators, repairs, losses, false alarms of monitors. */
export class Happenings {
  readonly #stage: Stage;
  readonly #agents: Agents;
  readonly #failures: Failures;
  readonly #orders: Orders;
  #ordered = 0;
  #rounds = 0;

  constructor(stage: Stage, agents: Agents, failures: Failures, orders: Orders) {
    this.#stage = stage;
    this.#agents = agents;
    this.#failures = failures;
    this.#orders = orders;
  }

  planEvents(): void {
    for (const event of this.#stage.scenario.events) {
      this.#stage.queue.at(ORIGIN_US + event.atHours * HOUR_US, () => this.#happen(event));
    }
  }

  /** Nodes that a visible fault reaches run another driver from then on. */
  planUpdates(targets: readonly Target[]): void {
    for (const { fault, updates } of targets) {
      for (const { node, atUs } of updates) this.#stage.queue.at(atUs, () => this.#update(node, fault.name));
    }
  }

  #update(node: SimulatedNode, driver: string): void {
    for (const gpu of node.gpus) this.#agents.tell(gpu, this.#stage.nowUs);
    node.driver = driver;
    node.build += 1;
    this.#orders.join(node);
    for (const gpu of node.gpus) {
      // Its first runs under the new driver fail as all others do.
      const broken = gpu.sources.some(({ rate }) => rate.at(this.#stage.nowUs) > 0);
      if (!broken) this.#agents.firstRuns(gpu);
      this.#failures.plan(gpu);
    }
  }

  /** False alarms of one monitor: one Poisson process over the fleet, from time 0 on. */
  planAnomalies(): void {
    const random = this.#stage.random('anomalies');
    const perUs = (this.#stage.scenario.anomaliesPerDay * this.#stage.gpus.length) / (24 * HOUR_US);
    const next = (fromUs: number): void => {
      const timeUs = Math.floor(fromUs + random.exponential(perUs));
      if (!(timeUs <= this.#stage.endUs)) return;
      this.#stage.queue.at(timeUs, () => {
        const gpu = this.#stage.gpus[random.below(this.#stage.gpus.length)];
        if (gpu !== undefined) this.#alarm(gpu, timeUs);
        next(timeUs);
      });
    };
    next(ORIGIN_US);
  }

  #alarm({ id, node }: SimulatedGpu, timeUs: number): void {
    const source = 'simulated monitor';
    this.#stage.commit({
      kind: 'anomaly',
      node: node.name,
      gpu: id,
      timeUs,
      source,
      type: 'numeric',
      job: '',
      jobGpus: 0,
    });
  }

  #happen(event: PlannedEvent): void {
    const gpu = this.#stage.gpus[event.gpu];
    switch (event.what) {
      case 'quarantine':
      case 'reinstate':
      case 'deep_test':
      case 'condemn':
        if (gpu !== undefined) this.#operator(gpu, ACTIONS[event.what]);
        break;
      case 'release_incidents':
        this.#answerIncidents('RELEASE');
        break;
      case 'confirm_incidents':
        this.#answerIncidents('CONFIRM');
        break;
      case 'repair':
        if (gpu !== undefined) this.#repair(gpu);
        break;
      case 'new_build':
        for (const node of this.#nodesOf(event)) this.#update(node, node.driver);
        break;
      case 'driver_update':
        for (const node of this.#nodesOf(event)) this.#update(node, `${node.driver}+1`);
        break;
      case 'lose_in_job':
        if (gpu !== undefined) this.#loseInJob(gpu, event.gpu);
        break;
      case 'agent_loss':
        for (const node of this.#nodesOf(event)) this.#lose(node, event.hours);
        break;
      case 'store_outage':
        this.#stage.loseStore();
        this.#stage.queue.at(this.#stage.nowUs + event.hours * HOUR_US, () => this.#stage.storeIsBack());
        break;
    }
  }

  #nodesOf({ node, nodes }: PlannedEvent): readonly SimulatedNode[] {
    return this.#stage.nodes.slice(node, node + nodes);
  }

  #operator(gpu: SimulatedGpu, action: OperatorAction): void {
    this.#agents.tell(gpu, this.#stage.nowUs);
    this.#ordered += 1;
    const directiveId = `simulated-order-${this.#ordered}`;
    this.#stage.commit({
      kind: 'operator',
      directiveId,
      gpu: gpu.id,
      action,
      reason: 'planned in the scenario',
      actor: 'operator',
    });
  }

  /** An operator says of every open incident that the GPUs are at fault, or that they are not. */
  #answerIncidents(decision: 'RELEASE' | 'CONFIRM'): void {
    for (const { id, endedUs } of [...this.#stage.engine.state.fleet.incidents]) {
      if (endedUs !== null) continue;
      this.#stage.commit({
        kind: 'incident-order',
        incident: id,
        decision,
        reason: 'planned in the scenario',
        actor: 'operator',
      });
    }
  }

  /** Its faults end, and its agent starts again under another build, as after a replacement of the driver or the board's firmware. */
  #repair(gpu: SimulatedGpu): void {
    this.#agents.tell(gpu, this.#stage.nowUs);
    for (const { rate } of gpu.sources) rate.endUs = Math.min(rate.endUs, this.#stage.nowUs);
    gpu.node.build += 1;
    this.#orders.join(gpu.node);
  }

  /** Three other GPUs compute a micro-batch as the monitor of this one does not; a suspect was asked to. */
  #loseInJob({ id, node }: SimulatedGpu, index: number): void {
    const { nowUs, gpus, engine } = this.#stage;
    const job = [0, 1, 2, 3].flatMap((more) => gpus[(index + more) % gpus.length] ?? []);
    this.#rounds += 1;
    this.#stage.commit({
      kind: 'comparison',
      node: node.name,
      gpus: [id],
      source: 'simulated monitor',
      type: 'REPLAY_MISMATCH',
      timeUs: nowUs,
      job: `job of ${id}`,
      jobGpus: job.length,
      rank: 0,
      step: this.#rounds,
      answers: job.map((gpu, rank) => ({
        node: gpu.node.name,
        gpu: gpu.id,
        rank,
        digest: gpu.id === id ? 'badbadba' : '00c0ffee',
        again: false,
      })),
      agreedBefore: 0,
      asked: engine.state.devices.get(id)?.state === 'SUSPECT',
      buildId: 'simulated',
      testBuild: false,
    });
  }

  #lose(node: SimulatedNode, hours: number): void {
    for (const gpu of node.gpus) this.#agents.tell(gpu, this.#stage.nowUs);
    node.up = false;
    this.#stage.commit({ kind: 'node-left', node: node.name });
    for (const gpu of node.gpus) this.#orders.forget(gpu);
    this.#stage.queue.at(this.#stage.nowUs + hours * HOUR_US, () => {
      node.up = true;
      for (const gpu of node.gpus) gpu.toldUs = this.#stage.nowUs;
      this.#orders.join(node);
    });
  }
}

import { join } from 'node:path';
import { freePort } from '@sentinel/test-kit';
import { device } from '../../harness/batches.js';
import { metric, scrape } from '../../harness/metrics.js';
import { ScriptedAgent } from '../../harness/scripted-agent.js';
import type { Service } from '../../harness/service.js';
import { type Overlay, Stack } from '../../harness/stack.js';
import { until } from '../../harness/until.js';
import type { Server } from '../../inference/servers.js';

/** Eight rounds of each kind, of seconds each, and a busy machine more. */
const SHOWN_MS = 600_000;
/** Rounds of all kinds after which a replica has agreed again. */
const AGREED_MS = 120_000;
const ROUNDS = 'sentinel_inference_rounds_total';
const AGREED_WITH = 'sentinel_inference_agreed_with';

/** A kind of inference server. */
export interface Kind {
  /** Keys of `inference_monitor`. */
  readonly settings: Overlay;
  /** Rounds that its monitors make. */
  readonly rounds: readonly ('canary' | 'replay' | 'weights')[];
  /** @param config file of the monitor on its node, for a library @param name of the node */
  start(config: string, name: string, port: number): Promise<Server>;
}

/** A real inference server behind the shipped sidecar, on a node of its own. */
export interface Replica {
  readonly gpu: string;
  readonly server: Server;
  readonly monitor: Service;
  /** Where users ask. */
  readonly url: string;
}

/** Replicas of one model with engine and ledger, all in processes of their own. */
export class Deployment implements AsyncDisposable {
  readonly replicas: Replica[] = [];
  readonly stack: Stack;
  readonly #kind: Kind;
  readonly #agents: ScriptedAgent[] = [];

  private constructor(stack: Stack, kind: Kind) {
    this.stack = stack;
    this.#kind = kind;
  }

  static async start(kind: Kind, count: number, log: (line: string) => void): Promise<Deployment> {
    const deployment = new Deployment(await Stack.start({ tls: true }), kind);
    try {
      const ports = await Promise.all(Array.from({ length: count }, () => freePort()));
      // One after the other: a start may take a core for half a minute.
      for (const k of ports.keys()) {
        await deployment.#begin(k, ports);
        log(`server ${k + 1} of ${count} runs`);
      }
      await Promise.all(deployment.replicas.map(({ monitor }) => monitor.start()));
      return deployment;
    } catch (error) {
      await deployment[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #begin(k: number, ports: readonly number[]): Promise<void> {
    const { stack } = this;
    const [node, gpu] = [`node-${k}`, `GPU-${k}`];
    const connection = stack.connection('engine', 'probe-agent');
    const agent = new ScriptedAgent({ connection, node, fleetKey: stack.secrets.fleetKey, devices: [device(gpu, 2)] });
    this.#agents.push(agent);
    await agent.hello();
    const [upstream, listen] = [await freePort(), `127.0.0.1:${await freePort()}`];
    const monitor = stack.inferenceMonitor(node, {
      ...{ ...this.#kind.settings, upstream_url: `http://127.0.0.1:${upstream}`, listen_address: listen },
      ...{ gpu_uuids: [gpu] },
      replicas: { listen_address: `127.0.0.1:${ports[k]}`, endpoints: ports.map((port) => `127.0.0.1:${port}`) },
    });
    const server = await this.#kind.start(join(stack.folder, `${monitor.spec.name}.yaml`), node, upstream);
    this.replicas.push({ gpu, server, monitor, url: `http://${listen}` });
  }

  /** Until each was shown to repeat itself in all that it is asked, and has agreed with the others. */
  async shown(): Promise<void> {
    const isShown = async ({ monitor }: Replica): Promise<boolean> => {
      const samples = await scrape((await monitor.ready()).metrics ?? '');
      return this.#asking.every((kind) => metric(samples, 'sentinel_inference_repeatable', { kind }) === 1);
    };
    const all = async () => (await Promise.all(this.replicas.map(isShown))).every(Boolean);
    await until('all replicas were shown to repeat themselves', SHOWN_MS, all, 500);
    await Promise.all(this.replicas.map((replica) => this.agreed(replica)));
  }

  /** Until it made two more rounds of each kind, the second of which began after this call, and has agreed with all others. */
  async agreed({ gpu, monitor }: Replica): Promise<void> {
    const numbers = async (name: string, kinds = this.#kind.rounds): Promise<number[]> => {
      const samples = await scrape((await monitor.ready()).metrics ?? '');
      return kinds.map((kind) => metric(samples, name, { kind }));
    };
    const before = await numbers(ROUNDS);
    const more = async () => (await numbers(ROUNDS)).every((count, k) => count >= (before[k] ?? 0) + 2);
    await until(`${gpu} is compared again`, AGREED_MS, more, 200);
    const others = this.replicas.length - 1;
    const all = async () => (await numbers(AGREED_WITH, this.#asking)).every((count) => count === others);
    await until(`${gpu} agrees with all others`, AGREED_MS, all, 200);
  }

  /** Kinds of questions, which are compared bit for bit. */
  get #asking() {
    return this.#kind.rounds.filter((kind) => kind !== 'weights');
  }

  /**
   * Until it has just computed a request of a user again, the last of its comparisons: what changes amid an answer makes a server contradict
   * itself, and of several that do so within an hour no bits are believed any more.
   */
  async idle({ gpu, monitor }: Replica): Promise<void> {
    const count = async () => metric(await scrape((await monitor.ready()).metrics ?? ''), ROUNDS, { kind: 'replay' });
    const before = await count();
    await until(`${gpu} computes a request again`, AGREED_MS, async () => (await count()) > before, 20);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { monitor } of this.replicas) {
      // As Ctrl-C: the front ends too.
      monitor.signal('SIGINT');
      await monitor.ended();
    }
    await Promise.all(this.replicas.map(({ server }) => server[Symbol.asyncDispose]()));
    for (const agent of this.#agents) agent.close();
    await this.stack.stop();
  }
}

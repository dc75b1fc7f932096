import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@sentinel/test-kit';
import { device } from '../../harness/batches.js';
import { metric, scrape } from '../../harness/metrics.js';
import { ROOT } from '../../harness/paths.js';
import { ScriptedAgent } from '../../harness/scripted-agent.js';
import type { Service } from '../../harness/service.js';
import { Stack } from '../../harness/stack.js';
import { until } from '../../harness/until.js';
import { type Server, startVllm, withLibrary } from '../../inference/servers.js';
import { CANARIES } from './questions.js';

/** Eight rounds of each kind, of seconds each, and a busy machine more. */
const SHOWN_MS = 600_000;
/** Rounds of all kinds after which a replica has agreed again. */
const AGREED_MS = 120_000;
const ROUNDS = 'sentinel_inference_rounds_total';
const KINDS = ['canary', 'replay', 'weights'] as const;
const FAULTS = join(ROOT, 'tests/fixtures/vllm');
/** Detectors run often, so that rounds follow each other soon; at the defaults they are as sure, and later. */
const OFTEN = { sampling_rate: 0.5, canary: { interval_s: 1 }, replay: { interval_s: 2 }, weights: { interval_s: 1 } };

/** A real vLLM with the library, behind the shipped sidecar, on a node of its own. */
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
  readonly #agents: ScriptedAgent[] = [];

  private constructor(stack: Stack) {
    this.stack = stack;
  }

  /** @param folder empty */
  static async start(folder: string, count: number, log: (line: string) => void): Promise<Deployment> {
    const deployment = new Deployment(await Stack.start({ tls: true }));
    try {
      const ports = await Promise.all(Array.from({ length: count }, () => freePort()));
      const prompts = join(folder, 'prompts');
      writeFileSync(prompts, CANARIES.join('\n'));
      // One after the other: a start takes a core for half a minute.
      for (const k of ports.keys()) {
        await deployment.#begin(folder, k, ports, prompts);
        log(`server ${k + 1} of ${count} runs`);
      }
      await Promise.all(deployment.replicas.map(({ monitor }) => monitor.start()));
      return deployment;
    } catch (error) {
      await deployment[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #begin(folder: string, k: number, ports: readonly number[], prompts: string): Promise<void> {
    const { stack } = this;
    const [node, gpu] = [`node-${k}`, `GPU-${k}`];
    const connection = stack.connection('engine', 'probe-agent');
    const agent = new ScriptedAgent({ connection, node, fleetKey: stack.secrets.fleetKey, devices: [device(gpu, 2)] });
    this.#agents.push(agent);
    await agent.hello();
    const [upstream, listen] = [await freePort(), `127.0.0.1:${await freePort()}`];
    const monitor = stack.inferenceMonitor(node, {
      ...{ ...OFTEN, framework: 'vllm', upstream_url: `http://127.0.0.1:${upstream}`, listen_address: listen },
      ...{ gpu_uuids: [gpu], canary: { ...OFTEN.canary, prompts_file: prompts } },
      replicas: { listen_address: `127.0.0.1:${ports[k]}`, endpoints: ports.map((port) => `127.0.0.1:${port}`) },
    });
    // One file for both, as on a node.
    const library = await withLibrary(join(folder, node), join(stack.folder, `${monitor.spec.name}.yaml`));
    const server = await startVllm({
      args: ['--worker-extension-cls', 'memory_faults.MemoryFaults'],
      env: { ...library, VLLM_SERVER_DEV_MODE: '1', PYTHONPATH: `${library.PYTHONPATH}:${FAULTS}` },
      port: upstream,
    });
    this.replicas.push({ gpu, server, monitor, url: `http://${listen}` });
  }

  /** Until each was shown to repeat itself in all that it is asked, and has agreed with the others. */
  async shown(): Promise<void> {
    const isShown = async ({ monitor }: Replica): Promise<boolean> => {
      const samples = await scrape((await monitor.ready()).metrics ?? '');
      return (['canary', 'replay'] as const).every(
        (kind) => metric(samples, 'sentinel_inference_repeatable', { kind }) === 1,
      );
    };
    const all = async () => (await Promise.all(this.replicas.map(isShown))).every(Boolean);
    await until('all replicas were shown to repeat themselves', SHOWN_MS, all, 500);
    await Promise.all(this.replicas.map((replica) => this.agreed(replica)));
  }

  /** Until it made two more rounds of each kind, the second of which began after this call. */
  async agreed({ gpu, monitor }: Replica): Promise<void> {
    const counts = async (): Promise<number[]> => {
      const samples = await scrape((await monitor.ready()).metrics ?? '');
      return KINDS.map((kind) => metric(samples, ROUNDS, { kind }));
    };
    const before = await counts();
    const more = async () => (await counts()).every((count, k) => count >= (before[k] ?? 0) + 2);
    await until(`${gpu} is compared again`, AGREED_MS, more, 200);
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

/** Calls a function of tests/fixtures/vllm/memory_faults.py in the worker. */
export async function inWorker<T>({ server }: Replica, method: string, ...args: readonly number[]): Promise<T> {
  const body = JSON.stringify({ method, args: args.map(String) });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${server.url}/collective_rpc`, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(`${method}: ${answer.status} ${await answer.text()}`);
  const text = await answer.text();
  return (text === '' ? undefined : (JSON.parse(text) as { results: [T] }).results[0]) as T;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../../front/control/control-client.js';
import { controlPath } from '../../front/control/messages.js';

const PACKAGE = join(import.meta.dirname, '../../..');
const START_MS = 60_000;
const LOOK_MS = 50;

export interface Upstream {
  readonly process: ChildProcess;
  readonly port: number;
}

export async function startUpstream(): Promise<Upstream> {
  const program = join(import.meta.dirname, 'fast-upstream-main.js');
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { process: child, port: Number(line.toString()) };
}

export interface SidecarProcesses {
  readonly port: number;
  readonly analyserPid: number;
  readonly frontPid: number;
  stop(): Promise<void>;
}

/** The shipped sidecar: analyser and front. */
export async function startSidecar(folder: string, upstream: number, samplingRate: number): Promise<SidecarProcesses> {
  const socket = join(folder, `${samplingRate}.sock`);
  const file = join(folder, `${samplingRate}.yaml`);
  const ready = join(folder, `${samplingRate}.ready`);
  const config = {
    listen_address: '127.0.0.1:0',
    upstream_url: `http://127.0.0.1:${upstream}`,
    thresholds_file: join(PACKAGE, '../../config/thresholds/inference_thresholds.yaml'),
    socket_path: socket,
    data_dir: join(folder, `data-${samplingRate}`),
    node_name: 'node-1',
    tls: { enabled: false },
    metrics: { listen_address: '127.0.0.1:0' },
    service_token: 'service token of the bench, 32 characters',
    sampling_rate: samplingRate,
  };
  writeFileSync(file, JSON.stringify({ inference_monitor: config }), { mode: 0o600 });
  const bin = join(PACKAGE, 'bin/sentinel-inference-monitor.mjs');
  const child = spawn(process.execPath, [bin, '--config', file, '--ready-file', ready], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const { http } = await whenReady(ready, child);
  const control = await ControlClient.connect(controlPath(socket), () => undefined);
  return {
    port: Number(http.slice(http.lastIndexOf(':') + 1)),
    analyserPid: child.pid ?? 0,
    frontPid: control?.hello.pid ?? 0,
    stop: async () => {
      child.kill('SIGINT');
      if (child.exitCode === null) await once(child, 'exit');
      control?.close();
    },
  };
}

async function whenReady(file: string, child: ChildProcess): Promise<{ http: string }> {
  for (
    const end = performance.now() + START_MS;
    performance.now() < end && child.exitCode === null;
    await delay(LOOK_MS)
  ) {
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as { http: string };
    } catch {
      // Not yet.
    }
  }
  throw new Error('the sidecar did not start');
}

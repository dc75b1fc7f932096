#!/usr/bin/env node
// node examples/inference/run.mjs [weight|none]
//
// Three replicas of a model, each on a node of its own behind the sidecar, users who ask them, and a bit of a weight that flips in the
// memory of one: which node is named? Everything is the product's own: `npm start`, three agents, three sidecars, the command line.
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { choice, Fleet, freePort, pythonOf, ROOT, START_MS } from '../lib/fleet.mjs';

const NODES = ['node-a', 'node-b', 'node-c'];
const FAULTY = 'node-c';
const SHOWN_MS = 600_000;
const SEEN_MS = 300_000;
/** For canaries to which all answer alike: who never agreed may be of another configuration, and is not accused. */
const AGREE_MS = 120_000;
/** Nobody may be accused for so long where nothing is wrong. */
const QUIET_MS = 30_000;
/** Users do not all ask at once. */
const PAUSE_MS = 100;

/** One user: asks replica after replica, through their sidecars, and counts. */
async function use(ports, counts) {
  for (let asked = 0; !counts.over; asked += 1) {
    const url = `http://127.0.0.1:${ports[asked % ports.length]}/v1/completions`;
    const body = JSON.stringify({ model: 'example', prompt: `question ${asked}`, max_tokens: 16 });
    try {
      const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      await answer.json();
      counts[answer.ok ? 'answered' : 'failed'] += 1;
    } catch {
      counts.failed += 1;
    }
    await delay(PAUSE_MS);
  }
}

async function pageOf(port) {
  return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

const fault = choice(import.meta.filename, ['weight', 'none']);
const fleet = new Fleet();
await fleet.play(async () => {
  console.log('Setting up PyTorch for the servers, once: a minute or two.');
  const python = pythonOf('torch');

  console.log(`Starting SENTINEL, three inference servers and three nodes, in ${fleet.folder} …`);
  const replicas = await Promise.all(
    NODES.map(async (node) => {
      const [server, sidecar, peers, metrics] = [
        await freePort(),
        await freePort(),
        await freePort(),
        await freePort(),
      ];
      return { node, server, sidecar, peers, metrics };
    }),
  );
  const servers = replicas.map(({ node, server }) =>
    fleet.start(`server of ${node}`, python, [path.join(ROOT, 'examples/inference/serve.py'), String(server)]),
  );
  const engine = await fleet.startSentinel();
  const files = Object.fromEntries(
    replicas.map(({ node, server, sidecar, peers, metrics }) => [
      node,
      fleet.configure(node, engine, 'inference_monitor', {
        thresholds_file: path.join(ROOT, 'config/thresholds/inference_thresholds.yaml'),
        listen_address: `127.0.0.1:${sidecar}`,
        upstream_url: `http://127.0.0.1:${server}`,
        replicas: {
          listen_address: `127.0.0.1:${peers}`,
          endpoints: replicas.filter((other) => other.node !== node).map((other) => `127.0.0.1:${other.peers}`),
        },
        metrics: { listen_address: `127.0.0.1:${metrics}` },
        // Minutes are looked at more often than months.
        sampling_rate: 0.2,
        canary: { interval_s: 2 },
        replay: { interval_s: 5 },
      }),
    ]),
  );
  await fleet.until('the servers answer', START_MS, () => servers.every(({ output }) => output.includes('serving')));
  await fleet.startNodes(files, 'sentinel-inference-monitor');

  const counts = { answered: 0, failed: 0, over: false };
  const user = use(
    replicas.map(({ sidecar }) => sidecar),
    counts,
  );
  console.log('Users ask. The monitors look whether the servers repeat themselves bit for bit …');
  const each = async (gauge, value) => {
    const pages = await Promise.all(replicas.map(({ metrics }) => pageOf(metrics)));
    return pages.every((page) => page.split('\n').includes(`sentinel_inference_${gauge}{kind="canary"} ${value}`));
  };
  await fleet.until('the servers are known to repeat themselves', SHOWN_MS, () => each('repeatable', 1));
  await fleet.until('each has agreed with both others', AGREE_MS, () => each('agreed_with', NODES.length - 1));
  if (fault === 'weight') {
    console.log(`One bit of one weight flips in the memory of the server on ${FAULTY}.`);
    servers[NODES.indexOf(FAULTY)].child.kill('SIGUSR1');
    await fleet.until('a device is accused', SEEN_MS, () => fleet.accused().length > 0);
  } else await delay(QUIET_MS);
  counts.over = true;
  await user;
  console.log(`Users: ${counts.answered} requests answered, ${counts.failed} failed.`);
  return (await fleet.show(fault === 'weight' ? FAULTY : null)) && counts.failed === 0;
});

#!/usr/bin/env node
// node examples/training/run.mjs [weight|product|none|checkpoint]
//
// A fleet of four nodes on this machine, a training job with a rank on each, and a fault on rank 2: which node is named?
// Or a checkpoint that is damaged between two runs of the job: who notices?
// Everything is the product's own: `npm start`, four agents, four analysers, the library in the job, the command line.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { choice, Fleet, freePort, pythonOf, ROOT } from '../lib/fleet.mjs';

const LIBRARY = path.join(ROOT, 'packages/training-monitor/python');
const NODES = ['node-a', 'node-b', 'node-c', 'node-d'];
/** Of rank 2, which train.py harms. */
const FAULTY = 'node-c';
const SEEN_MS = 300_000;
/** Four ranks, four agents, four analysers and the rest share the cores of one machine. */
const JOB_MS = 600_000;
/** So long a device is watched before it is taken out; unset = the ten minutes of the product, and nobody waits for them here. */
const DWELL = 'SENTINEL_CORRELATION_ENGINE_GATES_DWELL_SECONDS';
/** More than any run needs: the job is killed once its device is taken out. */
const MANY_STEPS = '1000000';
/** A job of minutes is looked at more often than one of weeks, whatever that costs. */
const MONITOR = {
  thresholds_file: path.join(ROOT, 'config/thresholds/training_thresholds.yaml'),
  job_id: 'example',
  cross_rank: { comparison_interval_steps: 5 },
  replay: { interval_steps: 10 },
  overhead_budget_pct: 100,
};

/** Of a run that is there for its checkpoint. */
const FEW_STEPS = '10';

const fault = choice(import.meta.filename, ['weight', 'product', 'none', 'checkpoint']);
const fleet = new Fleet();
await fleet.play(async () => {
  console.log('Setting up PyTorch for the job, once: a minute or two.');
  const python = pythonOf('torch', 'sentinel_training');

  console.log(`Starting SENTINEL, and four nodes, in ${fleet.folder} …`);
  const engine = await fleet.startSentinel();
  const files = Object.fromEntries(
    NODES.map((node) => [node, fleet.configure(node, engine, 'training_monitor', MONITOR)]),
  );
  await fleet.startNodes(files, 'sentinel-training-monitor');
  if (fault === 'checkpoint') return goOnFrom(path.join(fleet.folder, 'model.pt'), python, files);

  const harm = fault === 'none' ? 'no fault' : `a fault (${fault})`;
  console.log(`Training on four ranks; on rank 2, which is ${FAULTY}: ${harm}.`);
  if (fault === 'product' && process.env[DWELL] !== undefined) {
    const ranks = await start('', python, files, { FAULT: fault, STEPS: MANY_STEPS });
    await fleet.until('a device is taken out', JOB_MS, () =>
      fleet.accused().some(({ state }) => state === 'GPU_STATE_QUARANTINED'),
    );
    await fleet.kill(ranks);
  } else {
    await train('', python, files, { FAULT: fault });
    if (fault !== 'none') await fleet.until('a device is accused', SEEN_MS, () => fleet.accused().length > 0);
  }
  return fleet.show(fault === 'none' ? null : FAULTY);
});

/** One run of the job, to its end. */
async function train(run, python, files, env) {
  const ranks = await start(run, python, files, env);
  await fleet.until('the job ends', JOB_MS, () => ranks.every(({ child }) => child.exitCode === 0));
}

/** The ranks of one run of the job. */
async function start(run, python, files, env) {
  const port = await freePort();
  const ranks = NODES.map((node, rank) =>
    fleet.start(`rank ${rank}${run}`, python, [path.join(ROOT, 'examples/training/train.py')], {
      RANK: String(rank),
      WORLD_SIZE: String(NODES.length),
      MASTER_ADDR: '127.0.0.1',
      MASTER_PORT: String(port),
      NODE_NAME: node,
      OMP_NUM_THREADS: '1',
      PYTHONPATH: path.join(LIBRARY, 'src'),
      SENTINEL_CONFIG: files[node],
      ...env,
    }),
  );
  ranks[0].child.stdout.on('data', (text) => process.stdout.write(`  ${text}`));
  return ranks;
}

/** Three runs, each from the checkpoint of the one before. Of the second a bit of a weight changes on the disk, and its manifest is gone. */
async function goOnFrom(file, python, files) {
  const env = { CHECKPOINT: file, STEPS: FEW_STEPS };
  for (const run of ['first', 'second']) {
    console.log(`The ${run} run of the job.`);
    await train(`, ${run} run`, python, files, env);
  }
  console.log('One bit changes in the checkpoint, and its manifest is deleted.');
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(file, bytes);
  rmSync(`${file}.sentinel.json`);
  await train(', third run', python, files, env);
  const query = ['audit', 'query', '--type', 'anomaly', '--limit', '20'];
  const told = () =>
    JSON.parse(fleet.sentinel(...query, '--json').text)
      .entries.map(({ decoded }) => decoded)
      .filter(({ type }) => type === 'CHECKPOINT_DIVERGENCE');
  await fleet.until('each node tells of it', SEEN_MS, () => told().length >= NODES.length);
  console.log(`\n$ npx sentinel ${query.join(' ')}\n${fleet.sentinel(...query).text}`);
  for (const { node, detail } of told()) console.log(`${node}: ${detail}`);
  return fleet.show(null);
}

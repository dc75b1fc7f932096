import { type BenchOutcome, bench } from '@sentinel/bench-kit';
import { docker, dockerEnvironment } from '../compose/docker.js';
import { killed } from '../compose/kill.js';
import { ComposeProject } from '../compose/project.js';
import { Load, toldOnce } from '../compose/promise.js';
import { quarantined, quarantinedAt } from '../compose/site.js';

const MEGABYTE = 1e6;
/** Kills of the whole run: each service in turn. */
const ROUNDS = 3;
const KILLED = ['postgres', 'scylladb', 'redis', 'correlation-engine', 'audit-ledger', 'prometheus', 'probe-agent'];
const IMAGES = ['correlation-engine', 'audit-ledger', 'probe-agent'] as const;
const REGISTRY = 'ghcr.io/sentinel-sdc';
const VERSION = '0.1.0-alpha';
const BASE = 'debian:bookworm-slim';
const NODE = '/usr/local/bin/node';
const FAULTY = 'compose-faulty';

/** The stack of deploy/docker-compose.yml: how large, how soon, and what kills inside its containers leave behind. */
export default bench({
  name: 'compose',
  run: async ({ quick, folder, log }) => {
    await using project = await ComposeProject.prepare('sentinel-bench');
    await project.build();
    const figures: Record<string, number> = { ...(await imageSizes()), healthy_seconds: await project.up() };
    await project.up(['agent'], 'probe-agent');
    figures.stack_memory_mib = await project.memory();
    figures.quarantine_seconds = await secondsToQuarantine(project, folder);
    const load = await Load.start(project);
    const rounds = quick ? 1 : ROUNDS;
    for (let round = 0; round < rounds; round += 1)
      for (const service of KILLED)
        log(`${service}: healthy ${(await killed(project, service)).toFixed(1)} s after kill -9`);
    const { runs, lost, doubled } = await load.settled(folder);
    for (const { where, what } of [...lost, ...doubled]) log(`${where}: ${what}`);
    const entries = await toldOnce(project);
    log(`${runs} runs and ${entries} entries of the ledger were compared`);
    const survived = { kills: rounds * KILLED.length, lost: lost.length, doubled: doubled.length };
    return { figures: { ...figures, ...survived } } satisfies BenchOutcome;
  },
});

/** What each image is larger than Debian's with Node, MB. */
async function imageSizes(): Promise<Record<string, number>> {
  const env = await dockerEnvironment();
  const number = async (...args: string[]): Promise<number> => Number((await docker(env, args)).stdout);
  const sizeOf = (image: string): Promise<number> => number('image', 'inspect', '--format', '{{.Size}}', image);
  const base = await sizeOf(BASE);
  const figures: Record<string, number> = {};
  for (const name of IMAGES) {
    const image = `${REGISTRY}/${name}:${VERSION}`;
    const node = await number('run', '--rm', '--entrypoint', 'stat', image, '-c', '%s', NODE);
    figures[`${name.replace('-', '_')}_mb`] = ((await sizeOf(image)) - base - node) / MEGABYTE;
  }
  return figures;
}

async function secondsToQuarantine(project: ComposeProject, folder: string): Promise<number> {
  await project.up(['inject'], 'probe-agent-inject');
  const explained = await quarantined(project, folder, FAULTY);
  const seconds = (quarantinedAt(explained) - (await project.firstInjected())) / 1e6;
  return seconds;
}

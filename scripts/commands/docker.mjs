import { spawnSync } from 'node:child_process';
import { stopOwnEngine } from '../lib/docker/engine.mjs';
import { grafanaOrNone } from '../lib/docker/grafana.mjs';
import { prepareDocker } from '../lib/docker/prepare.mjs';
import { exitWith } from '../lib/setup-error.mjs';

const USAGE = `usage: node scripts/docker.mjs prepare                an engine, compose and every image
       node scripts/docker.mjs COMMAND [ARGUMENT…]   the same, then that command of docker, such as "compose up -d"
       node scripts/docker.mjs stop                  ends the engine that this clone started; its data stay
`;

async function run([command, ...args]) {
  if (command === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  if (command === 'stop') {
    await stopOwnEngine();
    return 0;
  }
  const prepared = await prepareDocker();
  if (command === 'prepare') return 0;
  const tell = (line) => process.stderr.write(`${line}\n`);
  const env = command === 'compose' ? await grafanaOrNone(args, prepared, tell) : prepared;
  return spawnSync('docker', [command, ...args], { env, stdio: 'inherit' }).status ?? 1;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  exitWith(error);
}

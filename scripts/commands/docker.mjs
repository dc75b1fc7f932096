import { spawnSync } from 'node:child_process';
import { stopOwnEngine } from '../lib/docker/engine.mjs';
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
  const env = await prepareDocker();
  if (command === 'prepare') return 0;
  return spawnSync('docker', [command, ...args], { env, stdio: 'inherit' }).status ?? 1;
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  exitWith(error);
}

import fs from 'node:fs';
import path from 'node:path';
import { ROOT, SETUP_LOGS } from '../paths.mjs';
import { runStep } from '../run-step.mjs';

const SERVERS = new URL('../../../packages/test-kit/dist/servers/cassandra/', import.meta.url);
const HOME = '/opt/cassandra';
const DATA = '/var/lib/scylla';
const PORTS = { cql: 9042, storage: 7000, jmx: 7199 };

/** The jars of the tests' Cassandra, and its settings for a container: clients reach it from other containers. */
export async function cassandraFiles(context) {
  await compileTestKit();
  const from = (name) => import(new URL(name, SERVERS).href);
  const { FILES, installCassandra } = await from('install.js');
  const { ACCESS, jvmOptions } = await from('jvm.js');
  const { settings } = await from('settings.js');

  fs.cpSync(await installCassandra(), path.join(context, 'jars'), { recursive: true });
  fs.copyFileSync(path.join(FILES, 'logback.xml'), path.join(context, 'logback.xml'));
  const write = (name, text) => fs.writeFileSync(path.join(context, name), text);
  const options = jvmOptions(`${DATA}/cassandra.yaml`, DATA, PORTS.jmx);
  const placed = options.map((option) => option.replace(FILES, `${HOME}/`));
  write('jvm.args', placed.join('\n'));
  write('access.args', ACCESS.join('\n'));
  const reachable = { rpc_address: '0.0.0.0', broadcast_rpc_address: 'CONTAINER_ADDRESS' };
  write('cassandra.json', JSON.stringify({ ...settings(DATA, PORTS), ...reachable }));
}

async function compileTestKit() {
  const compiler = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  await runStep({
    step: 'compiling packages/test-kit',
    command: process.execPath,
    args: [compiler, '-b', 'packages/test-kit'],
    cwd: ROOT,
    env: process.env,
    log: path.join(SETUP_LOGS, 'stand-in-test-kit.log'),
  });
}

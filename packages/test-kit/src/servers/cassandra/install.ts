import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onPath } from '../on-path.js';

/** pom.xml, jars.sha256 and logback.xml of this package. */
export const FILES = fileURLToPath(new URL('../../../cassandra/', import.meta.url));
const CACHE = fileURLToPath(new URL('../../../../../.sentinel/cassandra/', import.meta.url));
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies';
const MAVEN_TIMEOUT_MS = 480_000;

/**
 * Cassandra's jars, as Maven brings them once per clone; each has to have the checksum that is committed.
 * @returns their folder
 * @throws Error that says what this machine lacks
 */
export async function installCassandra(): Promise<string> {
  const list = readFileSync(join(FILES, 'jars.sha256'), 'utf8');
  const folder = join(CACHE, sha256(list).slice(0, 16));
  if (existsSync(folder)) return folder;
  const maven = onPath('mvn');
  if (maven === null) throw new Error('there is no mvn on the PATH: install it ("apt-get install maven")');
  await mkdir(CACHE, { recursive: true });
  const fresh = await mkdtemp(join(CACHE, 'new-'));
  try {
    const argv = ['-q', '-B', '-f', join(FILES, 'pom.xml'), COPY, `-DoutputDirectory=${fresh}`];
    await promisify(execFile)(maven, argv, { timeout: MAVEN_TIMEOUT_MS });
    await checkJars(fresh, list);
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another process was faster.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** @throws Error naming the first jar that differs, is missing, or is not listed */
export async function checkJars(folder: string, list: string): Promise<void> {
  const expected = new Map(
    list
      .trim()
      .split('\n')
      .map((line) => [line.slice(66), line.slice(0, 64)]),
  );
  for (const name of new Set([...expected.keys(), ...(await readdir(folder))])) {
    const sum = existsSync(join(folder, name)) ? sha256(await readFile(join(folder, name))) : 'missing';
    if (sum !== expected.get(name))
      throw new Error(`${join(dirname(FILES), 'cassandra/jars.sha256')}: ${name} is ${sum}, not ${expected.get(name)}`);
  }
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

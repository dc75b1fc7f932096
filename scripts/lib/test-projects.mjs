import fs from 'node:fs';
import path from 'node:path';
import { filesBelow } from './stamps.mjs';

const CANDIDATES = ['native-probes', 'scripts', 'tests'];

/**
 * Every workspace package and whether it has a `test` script. One that has sources by hand and no tests is a fault of its own.
 * @returns {{ tested: string[], untested: string[] }} absolute folders
 */
export function testProjects(root) {
  const packages = fs.readdirSync(path.join(root, 'packages')).map((name) => `packages/${name}`);
  const folders = [...packages, ...CANDIDATES].filter((folder) =>
    fs.existsSync(path.join(root, folder, 'package.json')),
  );
  const hasTests = (folder) =>
    JSON.parse(fs.readFileSync(path.join(root, folder, 'package.json'), 'utf8')).scripts?.test !== undefined;
  const hasSources = (folder) => filesBelow(root, [folder], (name) => name.endsWith('.ts')).length > 0;
  const absolute = (folder) => path.join(root, folder);
  return {
    tested: folders.filter(hasTests).map(absolute),
    untested: folders.filter((folder) => !hasTests(folder) && hasSources(folder)).map(absolute),
  };
}
